package console_test

import (
	"testing"

	"allocation/cmd/allocation/programtest"
	"allocation/deploy/testbed"
)

// A database that was migrated down beside a running console says so.
func TestPages_ofASchemaThatIsTooOld(t *testing.T) {
	t.Parallel()
	s := programtest.StartService(t)
	c := openSite(t, s, testbed.Kafka(t))
	c.ask(200, "/")
	s.AwaitAtRest(0)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	programtest.Run(t, "migrate", "down", "--line=engine", "--to=9", "--yes").RequireDone(t)
	for _, path := range []string{"/", "/letters", "/api/v1/status"} {
		c.shows(c.ask(503, path), "schema is at engine 9", "and this program needs", "allocation migrate up")
	}
	programtest.Run(t, "migrate", "up").RequireDone(t)
	c.ask(200, "/")
}
