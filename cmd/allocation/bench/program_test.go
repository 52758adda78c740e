package bench_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/cmd/allocation/bench"
	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/deploy/testbed"
)

// benchSite is an empty broker and an empty database, and the built program: bench starts workers
// of it.
type benchSite struct {
	t        *testing.T
	names    programtest.Names
	database string
	program  string
}

func newBenchSite(t *testing.T) *benchSite {
	t.Helper()
	program, err := testbed.Build("allocation/cmd/allocation")
	require.NoError(t, err)
	return &benchSite{t: t, names: programtest.NewNames(t), database: programtest.NewDatabase(t), program: program}
}

func (s *benchSite) args(more ...string) []string {
	return append(append([]string{"bench", "--json"}, s.names.Flags(s.t)...), more...)
}

// command is a run of the built program, with more in its environment.
func (s *benchSite) command(args []string, environment ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.t.Context(), s.program, args...)
	cmd.Env = append(append(os.Environ(), "DATABASE_URL="+s.database), environment...)
	return cmd
}

func (s *benchSite) run(more ...string) *bench.Report {
	s.t.Helper()
	cmd := s.command(s.args(more...))
	cmd.Stderr = s.t.Output()
	out, err := cmd.Output()
	require.NoError(s.t, err)
	report := &bench.Report{}
	require.NoError(s.t, json.Unmarshal(out, report))
	require.Positive(s.t, report.WAL)
	s.verify()
	return report
}

// fails runs bench, which must fail, and returns what it printed.
func (s *benchSite) fails(args []string, environment ...string) string {
	s.t.Helper()
	out, err := s.command(args, environment...).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(s.t, err, &exit)
	require.Equal(s.t, cli.ExitFailed, exit.ExitCode())
	return string(out)
}

// verify has the service's own check agree with what is in the tables, preloaded rows included.
func (s *benchSite) verify() {
	s.t.Helper()
	programtest.Run(s.t, "verify").RequireDone(s.t, "no differences\n")
}

func TestBench_throughput(t *testing.T) {
	t.Parallel()
	s := newBenchSite(t)
	report := s.run("--commands=2000", "--skus=50", "--history=1000", "--workers=2", "--order-ids=growing")
	require.Equal(t, 2000, report.Commands)
	require.Equal(t, 2000, report.Events)
	require.EqualValues(t, 1000, report.Before.Dispatched)
	require.Positive(t, report.Throughput.Rate)
	require.Positive(t, report.Tables)
	require.Equal(t, 2, report.Workers)
	require.Positive(t, report.Batches.Transactions)
	require.GreaterOrEqual(t, report.Batches.Mean, 1.0)
	require.Nil(t, report.Latency)

	programtest.Run(t, s.args("--commands=10")...).RequireFailed(t, "the topic "+s.names.Commands+" holds 4050 records") // 50 batches and 1000 past lines twice before
}

// All commands, repeats included, with workers that went on from what was preloaded.
func TestBench_mixed(t *testing.T) {
	t.Parallel()
	s := newBenchSite(t)
	report := s.run("--workload=mixed", "--commands=1000", "--skus=7")
	require.Positive(t, report.Repeats)
	require.Equal(t, 1000, report.Commands)
	require.Contains(t, programtest.Run(t, "verify").RequireDone(t), "compared 7 products with their events\n")
}

func TestBench_latency(t *testing.T) {
	t.Parallel()
	s := newBenchSite(t)
	report := s.run("--waiting=300", "--skus=3", "--rate=50", "--duration=2s")
	require.Nil(t, report.Throughput)
	require.Equal(t, 200, report.Commands)
	require.Equal(t, 100, report.Latency["all"].Commands)
	require.Equal(t, 100, report.Latency["Allocate"].Commands+report.Latency["CreateBatch"].Commands)
	require.Positive(t, report.Latency["CreateBatch"].P50)
	require.LessOrEqual(t, report.Latency["all"].P50, report.Latency["all"].Max)
	require.Equal(t, 200+10*(200/11), report.Events)
}

func TestBench_storm(t *testing.T) {
	t.Parallel()
	s := newBenchSite(t)
	report := s.run("--workload=storm", "--lines=1001", "--skus=5", "--rate=50", "--duration=1s")
	require.Equal(t, 501, report.Storm.Moved)
	require.Positive(t, report.Storm.Seconds)
	require.Equal(t, 50, report.Storm.Before.Commands)
	require.Equal(t, report.Commands+2*501, report.Events)
}

// Workers that run already find what is preloaded under them.
func TestBench_usesWorkersThatRun(t *testing.T) {
	t.Parallel()
	s := newBenchSite(t)
	programtest.Run(t, "migrate", "up").RequireDone(t)
	s.names.Create(t, "--partitions=3").RequireDone(t)
	running := &programtest.Service{T: t, Names: s.names, Group: "group-" + s.names.Commands}
	running.Start()
	report := s.run("--workload=hot", "--commands=500", "--history=20", "--workers=0")
	require.Equal(t, 500, report.Events)
	require.Equal(t, 1, report.Products)
	require.Nil(t, report.Batches)
	require.NoError(t, running.Stop())
}

func TestBench_refusesWhatHoldsSomething(t *testing.T) {
	t.Parallel()
	s := newBenchSite(t)
	programtest.Run(t, "migrate", "up").RequireDone(t)
	programtest.Administer(t, s.database, `insert into batches (ref, sku, qty, first_qty) values ('b', 's', 1, 1)`)
	programtest.Run(t, s.args()...).RequireFailed(t, "the table batches holds rows")

	s.names.Create(t).RequireDone(t)
	require.NoError(t, testbed.Client(t, testbed.Kafka(t)).ProduceSync(t.Context(), &kgo.Record{Topic: s.names.DeadLetters, Value: []byte("x")}).FirstErr())
	programtest.Run(t, s.args()...).RequireFailed(t, "the topic "+s.names.DeadLetters+" holds 1 records")
}

// A database that keeps something else than what its events say is found, and is a failure.
func TestBench_failsWhereCommandsHadAnotherEffect(t *testing.T) {
	t.Parallel()
	s := newBenchSite(t)
	programtest.Run(t, "migrate", "up").RequireDone(t)
	programtest.Administer(t, s.database, `
create function spoil() returns trigger language plpgsql as $$ begin new.state := 'waiting'; new.batchref := null; return new; end $$;
create trigger spoil before insert on lines for each row when (new.qty = 3) execute function spoil()`)
	require.Regexp(t, `the table lines has \{Allocated:\d+ Waiting:[1-9]\d* .*\}, and must have \{Allocated:100 `, s.fails(s.args("--commands=100")))
}

func TestBench_saysWhyAWorkerEnded(t *testing.T) {
	t.Parallel()
	s := newBenchSite(t)
	out := s.fails(s.args("--commands=10"), "MAX_BATCH=none")
	require.Contains(t, out, "a worker ended by itself: exit status 2")
	require.Contains(t, out, `MAX_BATCH) is "none"`)
}

func TestBench_wrongUsage(t *testing.T) {
	t.Parallel()
	for says, args := range map[string]string{
		`--workload is "odd"; it must be one of allocate, zipf`: "--workload=odd",
		"--rate needs a --duration":                             "--rate=5",
		"--duration needs a --rate":                             "--duration=5s",
		"--commands is for a backlog":                           "--rate=5 --duration=5s --commands=7",
		"--waiting takes the place of --workload hot":           "--waiting=5 --workload=hot",
		"--lines is for --workload storm":                       "--lines=5",
		"--workload storm needs a --rate":                       "--workload=storm",
		`--workers is "many"; it must`:                          "--workers=many",
		"2 settings are wrong":                                  "--commands=0 --skus=0",
	} {
		programtest.Run(t, append([]string{"bench"}, strings.Fields(args)...)...).RequireMisuse(t, says)
	}
}
