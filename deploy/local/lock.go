package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// ErrFolderInUse is returned by LockFolder, StartKafka and StartPostgres when another process
// serves the same folder.
var ErrFolderInUse = errors.New("folder is in use")

// LockFile waits until it holds the lock on a file. The lock ends when the file is closed, or its
// process ends, in whatever way.
func LockFile(path string) (*os.File, error) {
	file, err := OpenOwn(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return file, nil
}

// LockFolder takes the lock of a data folder, and writes this process' id into it for who finds it
// taken.
// Its error is ErrFolderInUse when another process has it.
func LockFolder(path string) (*os.File, error) {
	file, err := OpenOwn(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		holder, _ := io.ReadAll(file)
		return nil, fmt.Errorf("%w by process %s (lock %s)", ErrFolderInUse, strings.TrimSpace(string(holder)), path)
	}
	_ = file.Truncate(0)
	_, err = fmt.Fprintln(file, os.Getpid())
	return file, err
}
