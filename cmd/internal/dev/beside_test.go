package dev_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/dev"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
)

// lives logs what it is given, and its process id whenever it begins.
const lives = `echo "$T_KAFKA_BROKERS $SECRET $$"; exec sleep 1000`

// newBeside runs dev with something beside it.
func newBeside(t *testing.T, dir, addr string, beside func(context.Context, *dev.Servers) (*dev.Beside, error)) *devProgram {
	t.Helper()
	return newDev(t, dir, func(d *devProgram) *cli.Program {
		p := program.New(strings.NewReader(""), &d.out, &d.out, service.Hooks{})
		p.Grammar = &struct {
			Dev dev.Command `cmd:""`
		}{dev.Command{Beside: beside}}
		return p
	}, "--http-addr="+addr)
}

// What runs beside the servers finds them, is started again when it ended, pauses and freezes, and
// ends with them. Postgres may be cut.
func TestDev_runsOthersBeside(t *testing.T) {
	t.Setenv("SECRET", "the user's own")
	given := make(chan *dev.Servers, 1)
	var c *dev.Companion
	dir := filepath.Join(devFolder(t), "new")
	d := newBeside(t, dir, "127.0.0.1:0", func(ctx context.Context, s *dev.Servers) (*dev.Beside, error) {
		require.NoError(t, s.Run(ctx, s.Variables("T_"), "/bin/sh", "-c", `test -n "$T_DATABASE_URL"`))
		require.ErrorContains(t, s.Run(ctx, nil, "/bin/sh", "-c", "echo so it is; exit 3"), "sh -c 'echo so it is; exit 3': exit status 3\nso it is")
		_, err := dev.Program("none")
		require.ErrorContains(t, err, "`make build` builds both")
		c = s.Start(ctx, "lives", s.Variables("T_"), "/bin/sh", "-c", lives)
		given <- s
		return &dev.Beside{
			Ready: func(ctx context.Context) error {
				return cli.Until(ctx, func(context.Context) (bool, error) { return c.PID() > 0, nil })
			},
			Says:  []string{"  Lives     here"},
			Close: func() { <-c.Done() },
		}, nil
	})
	d.awaitReady()
	s := <-given
	require.Contains(t, d.out.String(), "  Lives     here\n")
	require.NotContains(t, d.out.String(), "Health")
	begun := func(times int) []string {
		var lines []string
		testbed.Eventually(t, func() bool {
			text, _ := os.ReadFile(s.LogPath("lives"))
			lines = strings.Split(strings.TrimSpace(string(text)), "\n")
			return len(lines) == times && lines[0] != ""
		})
		return lines
	}
	require.Equal(t, s.Brokers()+"  "+strconv.Itoa(c.PID()), begun(1)[0], "it has what it is given, and nothing of the user's")

	require.NoError(t, syscall.Kill(c.PID(), syscall.SIGKILL))
	begun(2)
	require.Contains(t, d.out.String(), "ended without being asked")
	c.Pause(t.Context(), 0)
	begun(3)

	frozen := make(chan struct{})
	go func() {
		c.Freeze(t.Context(), 500*time.Millisecond)
		close(frozen)
	}()
	testbed.Eventually(t, func() bool { return stateOf(c.PID()) == "T" }, "it stands still")
	<-frozen
	testbed.Eventually(t, func() bool { return stateOf(c.PID()) != "T" }, "it goes on")
	begun(3)

	conn, err := pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	require.NoError(t, s.CutPostgres(t.Context(), 100*time.Millisecond))
	require.Error(t, conn.Ping(t.Context()), "its sessions were ended")
	testbed.Connect(t, s.URL())

	pid := c.PID()
	go c.Freeze(context.Background(), time.Hour)
	testbed.Eventually(t, func() bool { return stateOf(pid) == "T" })
	d.end()
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "it has ended, though it was frozen")
}

// stateOf is the state of a process, as Linux has it.
func stateOf(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return rest[:1]
}

// What cannot begin, or does not become ready, is said, and all ends.
func TestDev_saysWhatCannotRunBeside(t *testing.T) {
	t.Parallel()
	for says, beside := range map[string]func(context.Context, *dev.Servers) (*dev.Beside, error){
		"it cannot begin": func(context.Context, *dev.Servers) (*dev.Beside, error) { return nil, errors.New("it cannot begin") },
		"it is not ready": func(context.Context, *dev.Servers) (*dev.Beside, error) {
			return &dev.Beside{Ready: func(context.Context) error { return errors.New("it is not ready") }, Close: func() {}}, nil
		},
	} {
		d := newBeside(t, filepath.Join(devFolder(t), "new"), "127.0.0.1:0", beside)
		require.Equal(t, cli.ExitFailed, <-d.ended)
		require.Contains(t, d.out.String(), "allocation: "+says)
	}
	d := newBeside(t, filepath.Join(devFolder(t), "new"), "0.0.0.0:0", func(context.Context, *dev.Servers) (*dev.Beside, error) {
		return nil, errors.New("it was begun")
	})
	require.Equal(t, cli.ExitFailed, <-d.ended)
	require.Contains(t, d.out.String(), `--http-addr is "0.0.0.0:0", which other machines reach`)
}
