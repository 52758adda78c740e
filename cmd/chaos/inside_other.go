//go:build !linux

package main

import (
	"os"
	"os/exec"
	"syscall"

	"allocation/deploy/local/child"
)

// startInside starts this program again.
func startInside(dir string) (*child.Process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), folderVariable+"="+dir)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return child.Start(cmd, syscall.SIGKILL)
}
