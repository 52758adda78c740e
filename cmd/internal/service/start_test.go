package service_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/service"
	"allocation/deploy/testbed"
)

func TestService_refusesAnotherGroup(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	require.NoError(t, s.Stop())
	o := s.RunWorker("--kafka-group-id=another")
	require.Equal(t, cli.ExitFailed, o.Code)
	require.Contains(t, o.Err, "the database belongs to Kafka cluster")
	require.Contains(t, o.Err, "group "+s.Group)
	require.Contains(t, o.Err, "group another")
}

func TestWorker_refusesAnOldSchema(t *testing.T) {
	t.Parallel()
	programtest.NewDatabase(t)
	s := &programtest.Service{T: t, Names: programtest.NewNames(t), Group: "group"}
	o := s.RunWorker()
	require.Equal(t, cli.ExitFailed, o.Code)
	require.Contains(t, o.Err, "run `allocation migrate up`")
}

func TestWorker_refusesMissingTopics(t *testing.T) {
	t.Parallel()
	programtest.NewDatabase(t)
	programtest.Run(t, "migrate", "up").RequireDone(t)
	s := &programtest.Service{T: t, Names: programtest.NewNames(t), Group: "group"}
	o := s.RunWorker()
	require.Equal(t, cli.ExitFailed, o.Code)
	require.Contains(t, o.Err, s.Names.Commands)
	require.Contains(t, o.Err, "run `allocation topics create`")
}

func TestWorker_waitsForItsServers(t *testing.T) {
	t.Parallel()
	programtest.UseDatabase(t, "postgres://nobody@127.0.0.1:1/none")
	s := &programtest.Service{T: t, Names: programtest.NewNames(t), Group: "group"}
	listener, err := service.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	s.URL = "http://" + listener.Addr().String()
	w := service.New(s.Settings(), config.Log{Level: "error", Format: "text"}.Logger(io.Discard))
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx, listener) }()
	testbed.Eventually(t, func() bool {
		answer := s.Get("/readyz")
		return strings.HasPrefix(answer, "503") && strings.Contains(answer, "postgres") && strings.Contains(answer, "refused")
	})
	require.Equal(t, "200 ok\n", s.Get("/livez"))
	cancel(cli.ErrSignal)
	require.NoError(t, <-ended)
}
