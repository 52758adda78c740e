package child

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Sweeper removes a folder when this process ends, in whatever way: a panic, a test's time limit,
// Ctrl-C or SIGKILL run no deferred call.
type Sweeper struct {
	dir   string
	alive io.WriteCloser
	shell *exec.Cmd
}

// sweep waits until the writing end of its input is closed, which the kernel does when the owner
// dies. Then it removes the folder, again and again, because the servers in it may still write
// while they die.
const sweep = `trap '' HUP INT QUIT TERM; cat >/dev/null; n=0; while [ -e "$1" ] && [ $n -lt 300 ]; do rm -rf -- "$1" 2>/dev/null; n=$((n+1)); sleep 0.1; done`

// TempDir makes a folder that others may enter but not list, and a sweeper that removes it.
func TempDir(pattern string) (string, *Sweeper, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return "", nil, err
	}
	// Postgres runs as another user when this process is root, and must be able to enter.
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", nil, err
	}
	sweeper, err := startSweeper(dir)
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", nil, err
	}
	return dir, sweeper, nil
}

func startSweeper(dir string) (*Sweeper, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	shell := exec.Command("sh", "-c", sweep, "sweep", absolute)
	shell.Dir = "/"
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of reach of a terminal's signals
	alive, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, fmt.Errorf("start the shell that removes %s: %w", dir, err)
	}
	return &Sweeper{dir: absolute, alive: alive, shell: shell}, nil
}

// Close removes the folder and returns when it is gone. What is in it must have ended.
func (s *Sweeper) Close() error {
	err := os.RemoveAll(s.dir)
	_ = s.alive.Close()
	_ = s.shell.Wait()
	return err
}
