package security

import (
	"regexp"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
)

// operates: an operator's commands work with just the rights that SECURITY.md lists.
func operates(s *site) {
	w := s.startWorker(s.worker())
	w.ready()
	s.decidesAboutLetters()
	w.stop()
	s.decidesAboutPositions()
	require.Contains(s.t, s.done(s.operator(), "export", "STOOL"), `"format":"allocation.incident.v1"`)
	require.Contains(s.t, s.done(s.operator(), "verify"), "no differences")
	require.Contains(s.t, s.done(s.operator(), "verify", "--from-topic"), "no differences")
}

var letterID = regexp.MustCompile(`warehouse\.commands\.\d+\.\d+`)

// decidesAboutLetters retries a command that came too early, and discards one that nobody can read.
func (s *site) decidesAboutLetters() {
	s.t.Helper()
	dlq := func(args ...string) string {
		return s.run(s.database("allocation_ops"), append([]string{"dlq"}, args...)...).Out
	}
	send := func(args ...string) { s.done(s.user("allocation-producer"), append([]string{"send"}, args...)...) }
	list := func() string { return dlq("list", "--sku=STOOL") }
	send("Allocate", "orderid=o2", "sku=STOOL", "qty=1")
	await(s.t, list, "unknown_sku")
	id := letterID.FindString(list())
	require.Contains(s.t, dlq("show", id), "STOOL")
	send("CreateBatch", "ref=bSTOOL", "sku=STOOL", "qty=1")
	await(s.t, func() string { return s.run(s.database("allocation_ops"), "show", "product", "STOOL").Out }, "bSTOOL")
	require.Contains(s.t, dlq("retry", id, "--dry-run"), "would retry")
	require.Contains(s.t, dlq("retry", id), "1 applied")

	s.sendMalformed()
	await(s.t, func() string { return dlq("list") }, "malformed")
	require.Contains(s.t, dlq("discard", "--reason=malformed"), "1 discarded")
	require.Contains(s.t, s.done(s.operator(), "dlq", "lost"), "the database knows all decisions")
}

// decidesAboutPositions accepts that commands were deleted, while no worker runs, and sets
// positions.
func (s *site) decidesAboutPositions() {
	s.t.Helper()
	offsets := func(args ...string) string { return s.done(s.operator(), append([]string{"offsets"}, args...)...) }
	s.sendOrder()
	admin := kadm.NewClient(s.admin)
	ends, err := admin.ListEndOffsets(s.t.Context(), "warehouse.commands")
	require.NoError(s.t, err)
	_, err = admin.DeleteRecords(s.t.Context(), ends.Offsets())
	require.NoError(s.t, err)
	require.Contains(s.t, offsets("list"), "quarantined")
	require.Contains(s.t, offsets("accept"), "skips 1 offset")
	require.Contains(s.t, offsets("accept", "--execute"), "Done.")
	require.Contains(s.t, offsets("reset", "--topic=warehouse.commands", "--to-latest"), "goes on where it is")
	require.Contains(s.t, offsets("reset", "--topic=warehouse.commands", "--to-latest", "--execute"), "Done.")
	require.Regexp(s.t, `allocation_ops +reset(.|\n)*allocation_ops +accept`, offsets("list", "--history"))
}
