# SPDX-License-Identifier: MIT
# attempts.pl - as attempts.c, by syscall().
use strict;
use warnings;
use Socket;

my ($fixture, $port, $abstract) = @ARGV;
$| = 1;

sub got { my ($name, $yes) = @_; print "GOT $name\n" if $yes; }

sub shows {
	my ($fd) = @_;
	return 0 if $fd < 0;
	open(my $file, '<&=', $fd) or return 0;
	my $text = <$file>;
	print $text if defined $text;
	return defined $text;
}

sub shows_file { my ($name) = @_; open(my $file, '<', $name) or return 0; my $text = <$file>; print $text; return 1; }

sub runs {
	my ($name) = @_;
	my $child = fork();
	if ($child == 0) {
		no warnings 'exec';
		exec { $name } $name;
		kill 'KILL', $$;
	}
	waitpid($child, 0);
	return $? == 0;
}

sub connects {
	my ($family, $address) = @_;
	socket(my $socket, $family, SOCK_STREAM, 0) or return 0;
	return connect($socket, $address) && send($socket, $abstract, 0);
}

sub memory_exec {
	open(my $from, '<:raw', "$fixture/shown/intruder") or return 0;
	local $/;
	my $program = <$from>;
	my $name = 'x';
	my $fd = syscall(319, $name, 0);
	return 0 if $fd < 0 || syscall(1, $fd, $program, length $program) != length $program;
	return runs("/proc/self/fd/$fd");
}

my $secret = "$fixture/vault/secret";
my $victim = "$fixture/vault/victim";
my $over = "$fixture/vault/overwritten";
my $memory = '/proc/self/mem';
my ($mine, $parameters) = ('mine', "\0" x 120);
got('read', shows(syscall(257, -100, $secret, 0)));
got('link', symlink('../vault/secret', 'link') && shows_file('link'));
got('second', link($secret, 'second') && shows_file('second'));
got('write', syscall(2, $victim, 02001) >= 0);
if (open(my $own, '>', $mine)) { close $own; }
got('rename', syscall(82, $mine, $over) == 0);
got('connect', connects(AF_INET, pack_sockaddr_in($port, INADDR_LOOPBACK)));
got('abstract', connects(AF_UNIX, pack('S a*', AF_UNIX, "\0$abstract")));
got('exec', runs("$fixture/vault/intruder"));
got('memory_exec', memory_exec());
got('own_memory', syscall(2, $memory, 1) >= 0);
got('ring', syscall(425, 1, $parameters) >= 0);
print "DONE\n";
