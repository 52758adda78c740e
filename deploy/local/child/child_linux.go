package child

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
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

// parentOf reads the parent's id: the second field after the command's name, which stands in
// parentheses and may hold anything.
func parentOf(statPath string) (int, bool) {
	stat, err := os.ReadFile(statPath)
	if err != nil {
		return 0, false // it has ended meanwhile
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, false
	}
	parent, err := strconv.Atoi(string(fields[1]))
	return parent, err == nil
}

// awaitEnd waits until the processes have ended, whether or not anybody has asked for their exit
// codes, for at most five seconds.
func awaitEnd(pids []int) {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	deadline := time.Now().Add(5 * time.Second)
	for _, pid := range pids {
		for alive(pid) && time.Now().Before(deadline) {
			<-look.C
		}
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(state) > 0 && state[0] != 'Z' && state[0] != 'X'
}
