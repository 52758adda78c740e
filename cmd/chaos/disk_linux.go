package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// disk is a small file system that can be filled up. No other process sees it.
type disk struct{ dir string }

// newDisk mounts a file system of a size on a folder: one in a file for root, else one in memory.
// Its error says why this machine has none.
func newDisk(dir, size string) (*disk, error) {
	if os.Getenv(mountsVariable) == "" {
		return nil, errors.New("this user may not mount file systems, and the kernel gives it no user namespace")
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("keep mounts private: %w", err)
	}
	if err := mountFile(dir, size); err == nil {
		return &disk{dir}, nil
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755,size="+size); err != nil {
		return nil, fmt.Errorf("mount a file system: %w", err)
	}
	return &disk{dir}, nil
}

// mountFile needs root, mkfs.ext4, and a kernel with loop devices.
func mountFile(dir, size string) error {
	image := dir + ".image"
	for _, command := range [][]string{
		{"truncate", "-s", size, image},
		{"mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", image},
		{"mount", "-o", "loop,nosuid,nodev", image, dir},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", command[0], err, out)
		}
	}
	return os.RemoveAll(filepath.Join(dir, "lost+found"))
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill leaves no room at all.
func (d *disk) fill() error {
	file, err := os.Create(d.ballast())
	if err != nil {
		return err
	}
	defer file.Close()
	end := int64(0)
	for piece := int64(1 << 30); piece >= 4096; {
		switch err := unix.Fallocate(int(file.Fd()), 0, end, piece); {
		case err == nil:
			end += piece
		case errors.Is(err, unix.ENOSPC):
			piece /= 2
		case !errors.Is(err, unix.EINTR):
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	return nil
}

// free ends fill.
func (d *disk) free() error { return os.Remove(d.ballast()) }
