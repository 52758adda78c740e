//go:build !linux

package main

import (
	"syscall"

	"allocation/deploy/local/child"
)

// startInside starts this program again.
func startInside(dir string) (*child.Process, error) {
	return child.Start(again(dir, nil, ""), syscall.SIGKILL)
}
