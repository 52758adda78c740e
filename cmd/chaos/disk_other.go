//go:build !linux

package main

import "errors"

// disk is a small file system that can be filled up.
type disk struct{}

func newDisk(string, string) (*disk, error) {
	return nil, errors.New("only Linux can mount one that nobody else sees")
}

func (*disk) fill() error { return errors.ErrUnsupported }
func (*disk) free() error { return errors.ErrUnsupported }
