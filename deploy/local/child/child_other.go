//go:build !linux

package child

import (
	"os/exec"
	"syscall"
)

func setAttributes(cmd *exec.Cmd, _ syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
}

// descendants names the program's process group, the nearest thing that every Unix has.
func descendants(pid int) []int { return []int{-pid} }

func awaitEnd([]int) {}

func awaitStop([]int) {}
