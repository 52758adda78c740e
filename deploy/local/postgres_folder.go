package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrOtherVersion is returned by StartPostgres for data that no Postgres at hand can read.
var ErrOtherVersion = errors.New("data of another version of Postgres")

// programsFor returns the programs that fit the data, the newest for a folder without data.
func programsFor(data string, output io.Writer) (programs, error) {
	installed := installedPrograms()
	major, err := versionOf(data)
	if err != nil {
		return programs{}, err
	}
	for _, candidate := range installed {
		if major == 0 || candidate.major == major {
			return candidate, nil
		}
	}
	if major == 0 {
		return downloadPrograms(downloadedByDefault, output)
	}
	if _, ok := downloadable[major]; ok {
		return downloadPrograms(major, output)
	}
	return programs{}, fmt.Errorf("%w: %s was made by Postgres %d, which is neither installed nor can be downloaded: install it, or move the folder away to begin anew",
		ErrOtherVersion, data, major)
}

// versionOf reads the major version that made the data; 0 for a folder without data.
func versionOf(data string) (major int, err error) {
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if major, err = strconv.Atoi(strings.TrimSpace(string(content))); err != nil {
		return 0, fmt.Errorf("%w: %s: PG_VERSION says %q", ErrOtherVersion, data, content)
	}
	return major, nil
}

// initialize makes the data folder unless there is one. It is made beside its place and renamed, so
// that an interrupted one is never served.
func (p *Postgres) initialize(ctx context.Context) error {
	major, err := versionOf(p.data)
	if err != nil {
		return err
	}
	if major > 0 {
		return p.requirePassword()
	}
	fresh := p.data + ".new"
	if err := errors.Join(os.RemoveAll(fresh), os.Mkdir(fresh, 0o700), p.account.own(fresh)); err != nil {
		return err
	}
	arguments := []string{"-D", fresh, "--username=" + superuser, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions", "--auth=trust"}
	if p.options.Password != "" {
		passwordFile, err := p.passwordFile()
		if err != nil {
			return err
		}
		defer os.Remove(passwordFile)
		arguments = append(arguments, "--auth=scram-sha-256", "--pwfile="+passwordFile) // the last --auth counts
	}
	if output, err := p.command(ctx, fresh, "initdb", arguments...).CombinedOutput(); err != nil {
		_ = os.RemoveAll(fresh)
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	return os.Rename(fresh, p.data)
}

// command is one of the programs, which uses a data folder as the account does.
func (p *Postgres) command(ctx context.Context, data, name string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.programs.path(name), arguments...)
	cmd.Dir = "/" // this process' own may be closed to the account
	p.account.apply(cmd, data)
	return cmd
}

// passwordFile holds the password for initdb, which takes it in no other way: for a moment, and for
// the account alone.
func (p *Postgres) passwordFile() (path string, err error) {
	path = p.data + ".password"
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	file, err := OpenOwn(path, os.O_WRONLY|os.O_EXCL)
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(p.options.Password + "\n")
	return path, errors.Join(err, p.account.own(path), file.Close())
}

// requirePassword refuses data that lets everybody in who reaches the server, though connections
// are to need a password.
func (p *Postgres) requirePassword() error {
	if p.options.Password == "" {
		return nil
	}
	rules, err := os.ReadFile(filepath.Join(p.data, "pg_hba.conf"))
	if err != nil {
		return err
	}
	if anybodyMayIn.Match(rules) {
		return fmt.Errorf("%w: %s lets every user of this machine in without one, as earlier versions made it; move %s away to begin anew", ErrOtherPassword, p.data, filepath.Dir(p.data))
	}
	return nil
}

var anybodyMayIn = regexp.MustCompile(`(?m)^[^#\n]*\strust\b`)

// awaitFormerServer waits for the end of a server whose starter died. Postgres itself cleans up
// after a killed server, and checks that none of its processes lives. It refuses to start if
// another process has the old number by now; only then is the file removed here.
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
