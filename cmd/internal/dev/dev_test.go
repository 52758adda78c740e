package dev_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"allocation/cmd/allocation/program"
	"allocation/cmd/allocation/programtest"
	"allocation/cmd/internal/cli"
	"allocation/cmd/internal/config"
	"allocation/cmd/internal/service"
	"allocation/deploy/local"
	"allocation/deploy/testbed"
)

// devProgram is `allocation dev` in this process, on free ports.
type devProgram struct {
	t     *testing.T
	out   programtest.SyncBuffer
	stop  context.CancelCauseFunc
	ended chan int
}

func startDev(t *testing.T, dir string, more ...string) *devProgram {
	t.Helper()
	d := newDev(t, dir, func(d *devProgram) *cli.Program {
		return program.New(strings.NewReader(""), &d.out, &d.out, service.Hooks{})
	}, append([]string{"--http-addr=127.0.0.1:0"}, more...)...)
	d.awaitReady()
	return d
}

// newDev runs dev of a program.
func newDev(t *testing.T, dir string, of func(*devProgram) *cli.Program, more ...string) *devProgram {
	t.Helper()
	ctx, stop := context.WithCancelCause(t.Context())
	d := &devProgram{t: t, stop: stop, ended: make(chan int, 1)}
	p := of(d)
	go func() {
		d.ended <- p.Run(ctx, append([]string{"dev", "--dir", dir, "--kafka-addr=127.0.0.1:0", "--postgres-port=0"}, more...))
	}()
	t.Cleanup(func() { stop(cli.ErrSignal) })
	return d
}

func (d *devProgram) awaitReady() {
	d.t.Helper()
	testbed.Eventually(d.t, func() bool { return strings.Contains(d.out.String(), "ready; Ctrl-C") }, "%s", &d.out)
}

// end stops it as Ctrl-C does.
func (d *devProgram) end() {
	d.t.Helper()
	began := time.Now()
	d.stop(cli.ErrSignal)
	require.Equal(d.t, cli.ExitDone, <-d.ended, d.out.String())
	require.Less(d.t, time.Since(began), 10*time.Second)
	require.Contains(d.t, d.out.String(), "stopped; the data is in")
}

// exported is the value of a variable in what the user is told to paste.
func (d *devProgram) exported(name string) string {
	d.t.Helper()
	found := regexp.MustCompile(`export ` + name + `='([^']*)'`).FindStringSubmatch(d.out.String())
	require.NotNil(d.t, found, "no %s in %s", name, &d.out)
	return found[1]
}

func TestDev_keepsItsData(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(devFolder(t), "new")
	dev := startDev(t, dir)
	nobodyElseCanRead(t, dir)
	leavesTheFirstAlone(t, dir)
	brokers := "--kafka-brokers=" + dev.exported("KAFKA_BROKERS")
	programtest.Run(t, "send", "CreateBatch", "ref=b1", "sku=CHAIR", "qty=50", brokers).RequireDone(t)
	programtest.UseDatabase(t, dev.exported("DATABASE_URL"))
	testbed.Eventually(t, func() bool { return programtest.Run(t, "show", "batch", "b1").Code == cli.ExitDone })
	require.NotContains(t, dev.out.String(), "level=", "logs stay out of the text")
	dev.end()

	dev = startDev(t, dir)
	brokers = "--kafka-brokers=" + dev.exported("KAFKA_BROKERS")
	programtest.Run(t, "send", "Allocate", "orderid=o1", "sku=CHAIR", "qty=20", brokers).RequireDone(t)
	programtest.UseDatabase(t, dev.exported("DATABASE_URL"))
	testbed.Eventually(t, func() bool {
		return strings.Contains(programtest.Run(t, "show", "order", "o1").Out, "allocated  b1")
	})
	dev.end()
}

// nobodyElseCanRead: what is in dev's folder is for its user alone.
func nobodyElseCanRead(t *testing.T, dir string) {
	t.Helper()
	info, err := os.Stat(dir)
	require.NoError(t, err)
	want := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		want = 0o710 // by its group passes the account of Postgres, which does not run as root
	}
	require.Equal(t, want, info.Mode().Perm())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		info, err := entry.Info()
		require.NoError(t, err)
		names = append(names, entry.Name())
		require.Zero(t, info.Mode().Perm()&0o077, "%s %s: nobody enters or reads it, so nobody reaches what is in it", info.Mode(), entry.Name())
	}
	require.Equal(t, []string{"dev.lock", "kafka", "kafka.lock", "pgpass", "postgres", "postgres.lock", "postgres.log", "worker.log"}, names)
}

// leavesTheFirstAlone: a second dev is started by mistake, at other addresses. It harms nothing of
// the first.
func leavesTheFirstAlone(t *testing.T, dir string) {
	t.Helper()
	logged := readFile(t, filepath.Join(dir, "worker.log"))
	require.Contains(t, logged, "worker starts")
	o := runDev(t, dir)
	o.RequireFailed(t)
	require.Equal(t, fmt.Sprintf("allocation: --dir: folder is in use by process %d (lock %s)\n", os.Getpid(), filepath.Join(dir, "dev.lock")), o.Err)
	require.True(t, strings.HasPrefix(readFile(t, filepath.Join(dir, "worker.log")), logged), "what the first logged is there")
}

func TestDev_addressInUse(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	addr := listener.Addr().String()
	for _, flag := range []string{"--http-addr", "--kafka-addr"} {
		args := []string{"dev", "--dir", devFolder(t), "--kafka-addr=127.0.0.1:0", "--postgres-port=0", "--http-addr=127.0.0.1:0", flag + "=" + addr}
		programtest.Run(t, args...).RequireFailed(t, "is in use by another program", flag)
	}
}

func TestDev_needsItsPassword(t *testing.T) {
	t.Setenv("DATABASE_URL_FILE", "another database")
	dev := startDev(t, filepath.Join(devFolder(t), "new"))
	defer dev.end()
	settings, err := pgx.ParseConfig(dev.exported("DATABASE_URL"))
	require.NoError(t, err)
	require.NotEmpty(t, settings.Password)
	require.Contains(t, dev.out.String(), "  unset DATABASE_URL_FILE\n")
	require.NotContains(t, dev.out.String(), settings.Password, "who looks over a shoulder does not see it")
	for _, database := range []string{"postgres", "allocation"} {
		for _, password := range []string{"", "postgres", strings.ToLower(settings.Password)} {
			settings.Database, settings.Password = database, password
			_, err := pgx.ConnectConfig(t.Context(), settings)
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused, "%s with the password %q", database, password)
			require.Equal(t, "28P01", refused.Code)
		}
	}
	shown := regexp.MustCompile(`psql '([^']*)'`).FindStringSubmatch(dev.out.String())
	require.NotNil(t, shown, &dev.out)
	testbed.Connect(t, shown[1])

	// In another folder, a command does not find the password.
	settings.Password = ""
	_, err = pgx.ConnectConfig(t.Context(), settings)
	t.Chdir(t.TempDir())
	require.ErrorContains(t, config.Database{}.Explain(err), "the Postgres of the command dev wants its password, and .allocation/pgpass cannot be read here: "+
		"no such file or directory; run this in the folder in which dev runs, as the same user, or set DATABASE_URL")
}

// Somebody else can prepare a folder in a place where all may write, such as /tmp.
func TestDev_followsNoLinks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dev.lock", "worker.log", config.DevPasswordFile, "postgres.log", "postgres.lock", "kafka.lock"} {
		dir := devFolder(t)
		precious := filepath.Join(t.TempDir(), "precious")
		require.NoError(t, os.WriteFile(precious, []byte("precious"), 0o600))
		require.NoError(t, os.Symlink(precious, filepath.Join(dir, name)))
		runDev(t, dir).RequireFailed(t, filepath.Join(dir, name)+" is a symbolic link, which is not followed")
		require.Equal(t, "precious", readFile(t, precious), name)
	}
}

func TestDev_folderOfAnotherUser(t *testing.T) {
	t.Parallel()
	for want, dir := range map[string]string{"belongs to": foreignFolder(t), "other users can write to": openFolder(t)} {
		o := runDev(t, dir)
		o.RequireFailed(t, "allocation: --dir: ", want, "choose another, or one that does not exist yet")
		require.Equal(t, 1, strings.Count(o.Err, "\n"), o.Err)
		require.NoFileExists(t, filepath.Join(dir, "worker.log"))
	}
}

// foreignFolder is another user's. Only root can give one away, and an ordinary user finds root's
// own.
func foreignFolder(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return "/"
	}
	const nobody = 65534
	dir := devFolder(t)
	require.NoError(t, os.Chown(dir, nobody, nobody))
	return dir
}

func openFolder(t *testing.T) string {
	t.Helper()
	dir := devFolder(t)
	require.NoError(t, os.Chmod(dir, 0o777))
	return dir
}

func TestDev_dataThatLetsEverybodyIn(t *testing.T) {
	t.Parallel()
	dir := devFolder(t)
	server, err := local.StartPostgres(t.Context(), local.PostgresOptions{Dir: dir, Database: "allocation"})
	require.NoError(t, err)
	require.NoError(t, server.Stop())
	runDev(t, dir).RequireFailed(t, "lets every user of this machine in without one, as earlier versions made it; move "+dir+" away to begin anew")
}

func runDev(t *testing.T, dir string) programtest.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return programtest.RunWith(ctx, "", "dev", "--dir", dir, "--kafka-addr=127.0.0.1:0", "--postgres-port=0", "--http-addr=127.0.0.1:0")
}

// devFolder is a folder that Postgres' own user can enter, unlike a test's.
func devFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "allocation-dev-*") //nolint:usetesting // only its owner can enter a test's own
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestDev_consoleForThisMachineOnly(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]int{"127.0.0.1:0": http.StatusOK, "0.0.0.0:0": http.StatusNotFound} {
		dev := startDev(t, filepath.Join(devFolder(t), "new"), "--http-addr="+addr)
		said := dev.out.String()
		port := regexp.MustCompile(`http://\S+:(\d+)/readyz`).FindStringSubmatch(said)
		require.NotNil(t, port, said)
		require.Equal(t, want == http.StatusOK, strings.Contains(said, "  Console   http://127.0.0.1:"+port[1]+"/\n"), said)
		require.Equal(t, want != http.StatusOK, strings.Contains(said, "  Console   not at --http-addr, which other machines reach; run "), said)
		for _, path := range []string{"/", "/products", "/api/v1/status"} {
			require.Equal(t, want, statusOf(t, "http://127.0.0.1:"+port[1]+path), path)
		}
		require.Equal(t, http.StatusOK, statusOf(t, "http://127.0.0.1:"+port[1]+"/metrics"))
		dev.end()
	}
}

func statusOf(t *testing.T, address string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}
