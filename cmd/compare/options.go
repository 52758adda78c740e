package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// options say what to measure, and with what.
type options struct {
	brokers  []string
	database string
	before   string // another build of the worker's program, to compare with; may be empty

	rounds   int
	commands int // the most of a throughput run; 0: each contestant has its own number
	seconds  int // that a latency run counts
	only     []string
}

func readOptions() (o options, err error) {
	var errs [3]error
	o.rounds, errs[0] = number("COMPARE_ROUNDS", 3)
	o.commands, errs[1] = number("COMPARE_COMMANDS", 0)
	o.seconds, errs[2] = number("COMPARE_SECONDS", 15)
	o.before, o.only = os.Getenv("COMPARE_BEFORE"), list("COMPARE_ONLY")
	o.brokers, o.database = list("KAFKA_BROKERS"), os.Getenv("DATABASE_URL")
	if len(o.brokers) == 0 || o.database == "" {
		err = errors.New("KAFKA_BROKERS and DATABASE_URL must name the servers")
	}
	return o, errors.Join(append(errs[:], err)...)
}

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
