package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ErrOtherVersion is returned by StartPostgres for data that no Postgres at hand can read.
var ErrOtherVersion = errors.New("data of another version of Postgres")

// programsFor returns the programs that fit the data, the newest for a folder without data.
func programsFor(data string, output io.Writer) (programs, error) {
	installed := installedPrograms()
	major, found, err := versionOf(data)
	if err != nil {
		return programs{}, err
	}
	if !found {
		if len(installed) > 0 {
			return installed[0], nil
		}
		return downloadPrograms(downloadedByDefault, output)
	}
	for _, candidate := range installed {
		if candidate.major == major {
			return candidate, nil
		}
	}
	if _, ok := downloadable[major]; ok {
		return downloadPrograms(major, output)
	}
	return programs{}, fmt.Errorf("%w: %s was made by Postgres %d, which is neither installed nor can be downloaded: install it, or move the folder away to begin anew",
		ErrOtherVersion, data, major)
}

// versionOf reads the major version that made the data. Nothing is found in a folder without data.
func versionOf(data string) (major int, found bool, err error) {
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	major, err = strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, false, fmt.Errorf("%w: %s: PG_VERSION says %q", ErrOtherVersion, data, content)
	}
	return major, true, nil
}

// initialize makes the data folder unless there is one. It is made beside its place and renamed, so that an interrupted one is never served.
func initialize(ctx context.Context, programs programs, account account, data string) error {
	if _, found, err := versionOf(data); found || err != nil {
		return err
	}
	fresh := data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	if err := account.own(fresh); err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, programs.path("initdb"), "-D", fresh,
		"--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.Dir = "/" // this process' own may be closed to the account
	account.apply(initdb, fresh)
	if output, err := initdb.CombinedOutput(); err != nil {
		_ = os.RemoveAll(fresh)
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	return os.Rename(fresh, data)
}

// awaitFormerServer waits for the end of a server whose starter died. What a killed server left is for Postgres to clean, which checks that none
// of its processes lives; only when another process has its number by now, which makes Postgres refuse to start, it is removed here.
func awaitFormerServer(ctx context.Context, data string) error {
	pidFile := filepath.Join(data, "postmaster.pid")
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	for {
		command, alive := commandOf(readPID(pidFile))
		if !alive {
			return nil
		}
		if !strings.Contains(command, "postgres") || !strings.Contains(command, data) {
			return os.Remove(pidFile)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w by another Postgres server: %s", ErrFolderInUse, command)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// readPID returns the number on the first line of a file, 0 when there is none.
func readPID(path string) int {
	content, _ := os.ReadFile(path)
	first, _, _ := strings.Cut(string(content), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid
}

// commandOf returns the command line of a live process, from where Linux keeps it or else by ps.
func commandOf(pid int) (command string, alive bool) {
	if pid <= 0 {
		return "", false
	}
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil {
		return strings.ReplaceAll(string(line), "\x00", " "), true
	}
	line, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return string(line), err == nil
}
