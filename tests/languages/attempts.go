// SPDX-License-Identifier: MIT
// attempts.go - as attempts.c, without libc: a static program of many threads whose system calls are its own instructions.
package main

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

var fixture string

func got(name string, yes bool) {
	if yes {
		os.Stdout.WriteString("GOT " + name + "\n")
	}
}

func text(s string) uintptr {
	p, _ := syscall.BytePtrFromString(s)
	return uintptr(unsafe.Pointer(p))
}

func call(number, a, b, c uintptr) int {
	r, _, e := syscall.RawSyscall(number, a, b, c)
	if e != 0 {
		return -1
	}
	return int(r)
}

func shows(fd int) bool {
	b := make([]byte, 128)
	if fd < 0 {
		return false
	}
	n, _ := syscall.Read(fd, b)
	if n > 0 {
		os.Stdout.Write(b[:n])
	}
	return n > 0
}

func runs(name string) bool {
	pid, err := syscall.ForkExec(name, []string{name}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}})
	if err != nil {
		return false
	}
	var status syscall.WaitStatus
	syscall.Wait4(pid, &status, 0, nil)
	return status.Exited() && status.ExitStatus() == 0
}

func memoryRuns() bool {
	program, err := os.ReadFile(fixture + "/shown/intruder")
	fd := call(319, text("x"), 0, 0)
	if err != nil || fd < 0 {
		return false
	}
	syscall.Write(fd, program)
	return runs("/proc/self/fd/" + strconv.Itoa(fd))
}

func connects(family int, to syscall.Sockaddr) bool {
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM, 0)
	if err != nil || syscall.Connect(fd, to) != nil {
		return false
	}
	n, _ := syscall.Write(fd, []byte(os.Args[3]))
	return n > 0
}

func main() {
	fixture = os.Args[1]
	port, _ := strconv.Atoi(os.Args[2])
	secret := fixture + "/vault/secret"
	for i := 0; i < 8; i++ { // other threads, busy with calls of their own
		go func() {
			runtime.LockOSThread()
			for {
				call(syscall.SYS_ACCESS, text("/"), 0, 0)
				syscall.Nanosleep(&syscall.Timespec{Nsec: 1000000}, nil)
			}
		}()
	}
	got("read", shows(call(syscall.SYS_OPEN, text(secret), 0, 0)))
	got("link", syscall.Symlink("../vault/secret", "link") == nil && shows(call(syscall.SYS_OPEN, text("link"), 0, 0)))
	got("second", syscall.Link(secret, "second") == nil && shows(call(syscall.SYS_OPEN, text("second"), 0, 0)))
	got("write", call(syscall.SYS_OPEN, text(fixture+"/vault/victim"), syscall.O_WRONLY|syscall.O_APPEND, 0) >= 0)
	os.WriteFile("mine", nil, 0644)
	got("rename", call(syscall.SYS_RENAME, text("mine"), text(fixture+"/vault/overwritten"), 0) == 0)
	got("connect", connects(syscall.AF_INET, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
	got("abstract", connects(syscall.AF_UNIX, &syscall.SockaddrUnix{Name: "@" + os.Args[3]}))
	got("exec", runs(fixture+"/vault/intruder"))
	got("memory_exec", memoryRuns())
	got("own_memory", call(syscall.SYS_OPEN, text("/proc/self/mem"), syscall.O_WRONLY, 0) >= 0)
	parameters := make([]byte, 120)
	got("ring", call(425, 1, uintptr(unsafe.Pointer(&parameters[0])), 0) >= 0)
	os.Stdout.WriteString("DONE\n")
}
