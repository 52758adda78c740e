package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"allocation/cmd/compare/contest"
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

// stop reads the report that the program prints at its end.
func (p peer) stop(_ context.Context, process *process) (transactions, error) {
	if err := process.stop(); err != nil {
		return transactions{}, err
	}
	var report contest.Report
	if err := json.Unmarshal(process.output.Bytes(), &report); err != nil {
		return transactions{}, fmt.Errorf("read the report: %w", err)
	}
	return transactions{float64(report.Commands) / float64(max(1, report.Transactions)), strconv.FormatInt(report.Largest, 10)}, nil
}
