package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"allocation/deploy/local/child"
)

// startInside starts this program again, where it can be with mounts of its own: as root, or in a
// user namespace where the kernel allows those.
func startInside(dir string) (*child.Process, error) {
	separate := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if id := os.Getuid(); id != 0 {
		separate = &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWNS | unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
			AmbientCaps: []uintptr{unix.CAP_SYS_ADMIN},
		}
	}
	if process, err := child.Start(again(dir, separate, "yes"), syscall.SIGKILL); err == nil {
		return process, nil
	}
	return child.Start(again(dir, nil, ""), syscall.SIGKILL)
}
