package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"allocation/deploy/local/child"
)

// folderVariable names the folder of a campaign to the process that runs it.
const folderVariable = "CHAOS_FOLDER"

func main() {
	o, err := readOptions()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(2)
	}
	run := outside
	if os.Getenv(folderVariable) != "" {
		run = inside
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// outside runs the campaign in a process of its own, which may have mounts that nobody else sees,
// and removes its folder.
func outside(options) (err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	dir, sweeper, err := child.TempDir("allocation-chaos-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sweeper.Close()) }()
	campaign, err := startInside(dir)
	if err != nil {
		return err
	}
	for {
		select {
		case received := <-signals:
			campaign.Signal(received.(syscall.Signal))
		case <-campaign.Done():
			return campaign.Err()
		}
	}
}

// inside runs the campaign.
func inside(o options) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	c, err := newCampaign(ctx, o, os.Getenv(folderVariable))
	if err != nil {
		return err
	}
	return c.run(ctx)
}

// mountsVariable tells the campaign that it may mount.
const mountsVariable = "CHAOS_MOUNTS"

// again is this program once more, for a campaign in a folder.
func again(dir string, attributes *syscall.SysProcAttr, mounts string) *exec.Cmd {
	program, _ := os.Executable()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), folderVariable+"="+dir, mountsVariable+"="+mounts)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = attributes
	return cmd
}
