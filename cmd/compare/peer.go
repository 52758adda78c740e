package main

import (
	"context"
	"strconv"
)

// peer is a program of this module.
type peer struct {
	path  string
	flags []string
}

func (p peer) prepare(ctx context.Context, a *arena) error {
	return runProgram(ctx, p.path, append([]string{"-setup", "-products", strconv.Itoa(products)}, p.flags...), a.environment())
}

func (p peer) start(_ context.Context, a *arena) (*process, error) {
	return startProcess(p.path, append([]string{"-partitions", strconv.Itoa(partitions)}, p.flags...), a.environment())
}
