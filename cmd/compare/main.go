// Command compare puts the worker beside others that do the same work, on one machine and in one
// run: the floor, which is the least that any correct worker must do, and Watermill. It takes turns
// between them, and prints medians as Markdown. Run it by make compare, which builds everything and
// names the servers.
//
//	COMPARE_ROUNDS=1 COMPARE_COMMANDS=5000 COMPARE_ONLY=ours,floor COMPARE_SECONDS=3 make compare     a short look
//
// It is in a module of its own, so that what the others need is not needed by the service.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// run prints what it has, also where some runs failed.
func run(ctx context.Context) error {
	o, err := readOptions()
	if err != nil {
		return err
	}
	contestants, err := choose(allContestants(o), o.only)
	if err != nil {
		return err
	}
	l, err := openLab(ctx, o)
	if err != nil {
		return err
	}
	defer l.close()
	r := &results{contestants, map[runKey][]measures{}}
	failed := r.fill(ctx, l)
	r.print(os.Stdout, o)
	return failed
}
