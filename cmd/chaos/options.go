package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are read from the environment.
type options struct {
	duration time.Duration // CHAOS_DURATION: of the load and the faults
	commands int           // CHAOS_COMMANDS: sent in that time
	seed     uint64        // CHAOS_SEED
	mix      mix           // CHAOS_MIX: name=weight,...
	every    time.Duration // CHAOS_EVERY: between the beginnings of faults, on average
	session  time.Duration // CHAOS_SESSION_TIMEOUT: of the workers' group
	disk     string        // CHAOS_DISK: the size of Postgres' disk, as mount has it
	logs     string        // CHAOS_LOGS: a folder for the logs of workers and servers, kept
}

const commandsPerSecond = 1500 // unless CHAOS_COMMANDS says otherwise

func readOptions() (o options, err error) {
	var errs []error
	length := func(name, usual string) time.Duration {
		d, err := time.ParseDuration(variable(name, usual))
		if err != nil || d <= 0 {
			errs = append(errs, fmt.Errorf("%s is %q; it must be a time such as %s", name, variable(name, usual), usual))
		}
		return d
	}
	o.duration = length("CHAOS_DURATION", "20m")
	o.every = length("CHAOS_EVERY", "6s")
	o.session = length("CHAOS_SESSION_TIMEOUT", "6s")
	commands := strconv.Itoa(int(o.duration.Seconds() * commandsPerSecond))
	if o.commands, err = strconv.Atoi(variable("CHAOS_COMMANDS", commands)); err != nil || o.commands < 1 {
		errs = append(errs, fmt.Errorf("CHAOS_COMMANDS is %q; it must be a number such as %s", os.Getenv("CHAOS_COMMANDS"), commands))
	}
	if o.seed, err = strconv.ParseUint(variable("CHAOS_SEED", strconv.FormatUint(rand.Uint64()>>32, 10)), 10, 64); err != nil {
		errs = append(errs, fmt.Errorf("CHAOS_SEED is %q; it must be a number", os.Getenv("CHAOS_SEED")))
	}
	if o.mix, err = readMix(os.Getenv("CHAOS_MIX")); err != nil {
		errs = append(errs, err)
	}
	o.disk, o.logs = variable("CHAOS_DISK", "8g"), os.Getenv("CHAOS_LOGS")
	return o, errors.Join(errs...)
}

func variable(name, usual string) string { return cmp.Or(os.Getenv(name), usual) }

// again is the command that repeats a campaign.
func (o options) again() string {
	text := fmt.Sprintf("make chaos CHAOS_SEED=%d CHAOS_DURATION=%s CHAOS_COMMANDS=%d", o.seed, o.duration, o.commands)
	for _, name := range []string{"CHAOS_MIX", "CHAOS_EVERY", "CHAOS_SESSION_TIMEOUT"} {
		if value := os.Getenv(name); value != "" {
			text += " " + name + "=" + value
		}
	}
	return text
}

// mix says how often each kind of fault happens, relative to others, and what the load is made of.
type mix map[string]int

// The parts of the load.
const (
	partSpread    = "spread"    // of 100 products, those whose commands come by several partitions
	partRepeat    = "repeat"    // of 100 commands, those sent again
	partMalformed = "malformed" // of 100 records, those that cannot be read
	partAborted   = "aborted"   // of 100 Kafka transactions, those that are aborted
	partPoison    = "poison"    // of 100,000 commands, those that fail unexpectedly
)

var loadMix = mix{partSpread: 10, partRepeat: 5, partMalformed: 2, partAborted: 25, partPoison: 0}

// readMix changes the usual mix: faults=0 first takes all faults away.
func readMix(text string) (mix, error) {
	m := maps.Clone(loadMix)
	for _, k := range kinds {
		m[k.name] = k.weight
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		name, value, _ := strings.Cut(part, "=")
		weight, err := strconv.Atoi(value)
		if _, known := m[name]; err != nil || weight < 0 || !known && name != "faults" {
			return nil, fmt.Errorf("CHAOS_MIX has %q; it must be name=weight, with a name of %s, or faults for all of them", part, strings.Join(slices.Sorted(maps.Keys(m)), ", "))
		}
		if name != "faults" {
			m[name] = weight
			continue
		}
		for _, k := range kinds {
			m[k.name] = weight
		}
	}
	return m, nil
}
