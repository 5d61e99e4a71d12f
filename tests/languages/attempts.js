// SPDX-License-Identifier: MIT
// attempts.js - as attempts.c, by what Node has: files by its threads, sockets, programs; no system calls by number.
'use strict';
const fs = require('fs'), net = require('net'), { spawnSync } = require('child_process');
const [fixture, port, abstract] = process.argv.slice(2);

const shows = (name) => {
	const text = fs.readFileSync(name);
	fs.writeSync(1, text);
	return text.length > 0;
};
const runs = (name, stdio) => {
	const ran = spawnSync(name, [], { env: {}, stdio: ['ignore', 1, 2, ...(stdio || [])] });
	return ran.status === 0;
};
const connects = (to) => new Promise((resolve) => {
	const socket = net.connect(to);
	socket.on('connect', () => socket.end(abstract, () => resolve(true)));
	socket.on('error', () => resolve(false));
});
const attempts = {
	read: () => shows(fixture + '/vault/secret'),
	in_thread: async () => {
		const text = await fs.promises.readFile(fixture + '/vault/secret');
		fs.writeSync(1, text);
		return text.length > 0;
	},
	link: () => { fs.symlinkSync('../vault/secret', 'link'); return shows('link'); },
	second: () => { fs.linkSync(fixture + '/vault/secret', 'second'); return shows('second'); },
	write: () => fs.openSync(fixture + '/vault/victim', 'a') >= 0,
	rename: () => {
		fs.writeFileSync('mine', '');
		fs.renameSync('mine', fixture + '/vault/overwritten');
		return true;
	},
	copy: () => { fs.copyFileSync(fixture + '/vault/secret', 'copy'); return shows('copy'); },
	connect: () => connects({ host: '127.0.0.1', port: Number(port) }),
	exec: () => runs(fixture + '/vault/intruder'),
	own_memory: () => fs.openSync('/proc/self/mem', 'r+') >= 0,
};
(async () => {
	for (const [name, attempt] of Object.entries(attempts)) {
		try {
			if (await attempt())
				fs.writeSync(1, `GOT ${name}\n`);
		} catch (error) {
			if (error.code === undefined)
				throw error;
		}
	}
	fs.writeSync(1, 'DONE\n');
})();
