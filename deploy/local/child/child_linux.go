package child

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func setAttributes(cmd *exec.Cmd, onDeath syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = onDeath
}

// descendants returns the ids of all processes below one, parents before children.
func descendants(pid int) []int {
	children := processesByParent()
	all := children[pid]
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

func processesByParent() map[int][]int {
	children := make(map[int][]int)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if parent, ok := parentOf(path); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	return children
}

func parentOf(statPath string) (int, bool) {
	fields := fieldsOf(statPath)
	if len(fields) < 2 {
		return 0, false
	}
	parent, err := strconv.Atoi(string(fields[1]))
	return parent, err == nil
}

// awaitEnd waits until the processes have ended, whether or not anybody has asked for their exit
// codes, for at most five seconds.
func awaitEnd(pids []int) {
	await(pids, func(pid int) bool { return ended(statPath(pid)) })
}

// awaitStop waits until the processes stand still, for at most five seconds. A thread goes on after
// SIGSTOP until it is next scheduled.
func awaitStop(pids []int) {
	await(pids, func(pid int) bool {
		threads, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "stat"))
		return !slices.ContainsFunc(threads, func(path string) bool { return stateOf(path) != 'T' && !ended(path) })
	})
}

func await(pids []int, so func(pid int) bool) {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	deadline := time.Now().Add(5 * time.Second)
	for _, pid := range pids {
		for !so(pid) && time.Now().Before(deadline) {
			<-look.C
		}
	}
}

func statPath(pid int) string { return filepath.Join("/proc", strconv.Itoa(pid), "stat") }

func ended(statPath string) bool {
	state := stateOf(statPath)
	return state == 0 || state == 'Z' || state == 'X'
}

// stateOf is the letter of a process's or a thread's state, 0 where there is none such.
func stateOf(statPath string) byte {
	fields := fieldsOf(statPath)
	if len(fields) == 0 {
		return 0
	}
	return fields[0][0]
}

// fieldsOf reads what stands after the command's name, which stands in parentheses and may hold
// anything: the state, the parent's id, and so on. It has none when the process has ended.
func fieldsOf(statPath string) [][]byte {
	stat, err := os.ReadFile(statPath)
	if err != nil {
		return nil
	}
	return bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
}
