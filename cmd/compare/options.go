package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	partitions = 12
	products   = 1000
	seed       = 20
	warmUp     = 2 * time.Second
)

// options say what to measure, and with what.
type options struct {
	allocation string // the worker's program
	before     string // another build of it, to compare with; may be empty
	peers      string // the folder of the others' programs
	brokers    []string
	database   string

	rounds   int
	commands int // the most of a throughput run; 0: each contestant has its own number
	seconds  int // that a latency run counts
	only     []string
}

func readOptions() (options, error) {
	var o options
	var errs [3]error
	o.rounds, errs[0] = number("COMPARE_ROUNDS", 3)
	o.commands, errs[1] = number("COMPARE_COMMANDS", 0)
	o.seconds, errs[2] = number("COMPARE_SECONDS", 15)
	if err := errors.Join(errs[:]...); err != nil {
		return o, err
	}
	flag.StringVar(&o.allocation, "allocation", "bin/allocation", "the worker's program")
	flag.StringVar(&o.before, "before", "", "another build of the worker's program, which takes turns with it")
	flag.StringVar(&o.peers, "peers", "bin/compare", "the folder of the others' programs")
	flag.Parse()
	o.brokers, o.database = list("KAFKA_BROKERS"), os.Getenv("DATABASE_URL")
	o.only = list("COMPARE_ONLY")
	if len(o.brokers) == 0 || o.database == "" {
		return o, errors.New("KAFKA_BROKERS and DATABASE_URL must name the servers")
	}
	return o, nil
}

func (o options) peer(name string) string { return filepath.Join(o.peers, name) }

// number is a positive integer of the environment, or 0 where that is the usual.
func number(name string, usual int) (int, error) {
	text := os.Getenv(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < min(1, usual) {
		return 0, fmt.Errorf("%s is %q; it must be a positive number", name, text)
	}
	return n, nil
}

func list(name string) []string {
	return strings.FieldsFunc(os.Getenv(name), func(r rune) bool { return r == ',' || r == ' ' })
}
