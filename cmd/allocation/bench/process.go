package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// What the kernel tells of processes, by /proc. Where there is none, nothing is known.

// ticksPerSecond is what times in /proc are counted in, on every Linux.
const ticksPerSecond = 100

// processTimes are the CPU seconds of a process, and of those of its children that have ended.
type processTimes struct {
	parent   int
	own      float64
	children float64
}

func timesOf(pid int) (t processTimes, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return t, false
	}
	return parseTimes(stat)
}

// parseTimes reads /proc/PID/stat. The name stands in parentheses and may hold anything; fields
// count from after it.
func parseTimes(stat []byte) (t processTimes, ok bool) {
	const parent, utime, stime, cutime, cstime = 1, 11, 12, 13, 14
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= cstime {
		return t, false
	}
	number := func(i int) float64 {
		n, _ := strconv.ParseFloat(fields[i], 64)
		return n
	}
	t.parent = int(number(parent))
	t.own = (number(utime) + number(stime)) / ticksPerSecond
	t.children = (number(cutime) + number(cstime)) / ticksPerSecond
	return t, true
}

// familySeconds are the CPU seconds of a process, of its children that live and of those that it
// waited for: Postgres works in them.
func familySeconds(pid int) (seconds float64, ok bool) {
	t, ok := timesOf(pid)
	if !ok {
		return 0, false
	}
	seconds = t.own + t.children
	for _, other := range processes() {
		if child, ok := timesOf(other); ok && child.parent == pid {
			seconds += child.own
		}
	}
	return seconds, true
}

func processes() (pids []int) {
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		if pid, err := strconv.Atoi(filepath.Base(path)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func nameOf(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}

// peakMemory is the most memory, in bytes, that a process ever had resident; 0 where it is not
// known.
func peakMemory(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}
