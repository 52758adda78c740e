package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"allocation/deploy/local/child"
)

// runCommand runs the command in a process group of its own, so that a signal reaches it and what
// it started exactly once, whether it came from a terminal or by kill. It returns when the command
// has ended.
func runCommand(arguments, environment []string, signals <-chan os.Signal) (int, error) {
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), environment...)
	process, err := child.Start(command, syscall.SIGTERM)
	if err != nil {
		return 1, err
	}
	for {
		select {
		case received := <-signals:
			_ = syscall.Kill(-process.PID(), received.(syscall.Signal))
		case <-process.Done():
			return exitCode(command, process.Err())
		}
	}
}

// exitCode is the command's, or for one ended by a signal 128 and its number, as shells have it.
func exitCode(command *exec.Cmd, err error) (int, error) {
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return 1, err
	}
	if status := command.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return command.ProcessState.ExitCode(), nil
}

// reportOrphaned sends SIGTERM when the parent has died: "go run" does not pass SIGTERM on.
func reportOrphaned(signals chan<- os.Signal) {
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for parent := os.Getppid(); os.Getppid() == parent; {
		<-look.C
	}
	signals <- syscall.SIGTERM
}
