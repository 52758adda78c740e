package programtest

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/program"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
)

// StartConsole starts a console of the worker's servers, which ends with the test, and returns
// where it says that it is, without the last slash.
func (s *Service) StartConsole(flags ...string) string {
	s.T.Helper()
	return StartConsole(s.T, append([]string{"--kafka-brokers=" + testbed.Kafka(s.T), "--events-topic=" + s.Names.Events}, flags...)...)
}

// StartConsole starts a console of the test's database.
func StartConsole(t *testing.T, flags ...string) string {
	t.Helper()
	return StartConsoleOf(t, program.New(strings.NewReader(""), nil, nil, service.Hooks{}), flags...)
}

// StartConsoleOf starts the console of a program that knows the command.
func StartConsoleOf(t *testing.T, p *cli.Program, flags ...string) string {
	t.Helper()
	said, out := io.Pipe()
	var problems SyncBuffer
	p.Out, p.Err = out, &problems
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- p.Run(ctx, WithDatabase(t, append([]string{"console", "--console-addr=127.0.0.1:0"}, flags...)))
		_ = out.Close()
	}()
	t.Cleanup(func() {
		cancel()
		require.Equal(t, cli.ExitDone, <-ended, problems.String())
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	require.NoError(t, err, problems.String())
	_, address, _ := strings.Cut(line, "the console is at ")
	address, _, found := strings.Cut(address, "/ until Ctrl-C")
	require.True(t, found, line)
	return address
}
