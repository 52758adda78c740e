package buildyourown

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// All of the document is done word for word: with the servers of dev, and then with others.
func TestDocument_buildsAService(t *testing.T) {
	brokers, database := testbed.Kafka(t), testbed.Database(t)
	files, commands := readDocument(t)
	r := newReader(t)
	for _, f := range files {
		r.write(f.means, f.text)
	}
	build, run := split(commands, "dev")
	run, servers := split(run, "example")
	servers, worker := split(servers, "worker")
	require.Empty(t, worker[1:])
	for i := range build {
		r.do(&build[i])
	}

	own := *r
	own.dev(run)
	for i := range run[1:] {
		own.do(&run[1+i])
	}
	for _, page := range []string{"/", "/letters", "/letter?id=giftcards.commands.1.0", "/command?id=early", "/events", "/search?q=early"} {
		require.Equal(t, http.StatusOK, own.status(own.web+page), page)
	}

	r.useServers(brokers, database)
	for i := range servers[1:] {
		r.do(&servers[1+i])
	}
	r.work(&worker[0])
	for i := range run[1:] {
		r.do(&run[1+i])
	}
}

// split parts blocks before the first of a meaning.
func split(blocks []block, means string) (before, from []block) {
	for i := range blocks {
		if blocks[i].means == means {
			return blocks[:i], blocks[i:]
		}
	}
	return blocks, nil
}

var (
	exports = regexp.MustCompile(`(?m)^  export (\S+)='(.*)'$`)
	tries   = regexp.MustCompile(`(?m)^(?:  |And why: )(bin/giftcards .*)$`)
	health  = regexp.MustCompile(`(http://\S+)/readyz`)
)

// dev runs dev, the first of the commands, at free addresses, and sets what it says to set. What it
// says to try is among the others.
func (r *reader) dev(commands []block) {
	r.t.Helper()
	p, output := r.start("exec " + strings.TrimSpace(commands[0].text) + " --kafka-addr 127.0.0.1:0 --postgres-port 0 --http-addr 127.0.0.1:0")
	said := r.await(p, output, func(printed string) bool { return strings.Contains(printed, "\nready;") })
	for _, v := range exports.FindAllStringSubmatch(said, -1) {
		r.env = append(r.env, v[1]+"="+v[2])
	}
	for _, try := range tries.FindAllStringSubmatch(said, -1) {
		require.True(r.t, slices.ContainsFunc(commands, func(b block) bool { return strings.TrimSpace(b.text) == try[1] }), try[1])
	}
	r.web = health.FindStringSubmatch(said)[1]
	require.Contains(r.t, said, "  Console   "+r.web+"/\n")
	r.t.Cleanup(func() { r.stop(p, output) })
}

// useServers names the servers, whose topics are removed after the test.
func (r *reader) useServers(brokers, database string) {
	r.t.Helper()
	r.env = append(r.env, "KAFKA_BROKERS="+brokers, "DATABASE_URL="+database)
	topics := []string{"giftcards.commands", "giftcards.events", "giftcards.commands.dlq"}
	admin := testbed.Admin(r.t, brokers)
	r.t.Cleanup(func() {
		_, err := admin.DeleteTopics(context.Background(), topics...)
		require.NoError(r.t, err)
	})
}

// work runs the worker at a free address.
func (r *reader) work(b *block) {
	r.t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(r.t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(r.t, err)
	address := listener.Addr().String()
	require.NoError(r.t, listener.Close())
	r.web = "http://" + address
	p, output := r.start("exec " + strings.TrimSpace(b.text) + " --http-addr " + address)
	r.t.Cleanup(func() { r.stop(p, output) })
	testbed.Eventually(r.t, func() bool {
		require.True(r.t, p.Running(), r.read(output))
		return r.status(r.web+"/readyz") == http.StatusOK
	})
}

// status is that of the answer; 0: there was none.
func (r *reader) status(address string) int {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, address, nil)
	require.NoError(r.t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return 0
	}
	require.NoError(r.t, answer.Body.Close())
	return answer.StatusCode
}
