//go:build !linux

package main

import (
	"os"
	"syscall"
)

// signalThread signals the process: the calling thread may go a little further.
func signalThread(signal syscall.Signal) { _ = syscall.Kill(os.Getpid(), signal) }
