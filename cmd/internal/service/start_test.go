package service_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/programtest"
)

func TestWorker_refusesWhatIsNotSetUp(t *testing.T) {
	t.Parallel()
	programtest.NewDatabase(t)
	s := programtest.NewService(t)
	s.RunWorker().RequireFailed(t, "run `allocation migrate up`")
	programtest.Run(t, "migrate", "up").RequireDone(t)
	s.RunWorker().RequireFailed(t, s.Names.Commands, "run `allocation topics create`")
	s.Names.Create(t).RequireDone(t)
	s.Start()
	require.NoError(t, s.Stop())
	s.RunWorker("--kafka-group-id=another").RequireFailed(t, "the database belongs to Kafka cluster", "group "+s.Group, "group another")
}

func TestWorker_waitsForItsServers(t *testing.T) {
	t.Parallel()
	programtest.UseDatabase(t, "postgres://nobody@127.0.0.1:1/none")
	s := programtest.NewService(t)
	s.Launch()
	s.AwaitReadyz("503 ", "postgres", "refused")
	require.Equal(t, "200 ok\n", s.Get("/livez"))
	require.NoError(t, s.Stop())
}
