package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
)

// durable are settings of Postgres without which commits are cheaper than in production. A run
// requires them.
var durable = []string{"fsync", "synchronous_commit", "full_page_writes"}

func (l *lab) requireDurable(ctx context.Context) error {
	for _, name := range durable {
		value, err := l.show(ctx, name)
		if err != nil {
			return err
		}
		if value != "on" {
			return fmt.Errorf("Postgres has %s=%s; figures are worth nothing unless it is on", name, value) //nolint:staticcheck // a name
		}
	}
	return nil
}

func (l *lab) show(ctx context.Context, setting string) (value string, err error) {
	err = l.conn.QueryRow(ctx, `select current_setting($1)`, setting).Scan(&value)
	return value, err
}

// printSettings says what was compared, on what.
func (l *lab) printSettings(ctx context.Context, w io.Writer, contestants []*contestant) error {
	fmt.Fprintf(w, "# Side by side\n\n%s, %s/%s, %d cores; everything, servers included, on one machine.\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if err := l.printPostgres(ctx, w); err != nil {
		return err
	}
	if err := l.printKafka(ctx, w); err != nil {
		return err
	}
	fmt.Fprintf(w, "- Producers: all wait for all replicas (`acks=all`): ours, the floor's and the naive ones' are franz-go's idempotent ones, which have no less; Watermill's is set to it (`WaitForAll`).\n")
	fmt.Fprintf(w, "- Commands: CloudEvents in binary mode, keyed by SKU, from seed %d; %d products, each with one batch that never ends.\n", seed, products)
	for _, c := range contestants {
		fmt.Fprintf(w, "- `%s`: %s.\n", c.name, c.does)
	}
	return l.printVersions(w)
}

func (l *lab) printPostgres(ctx context.Context, w io.Writer) error {
	names := append([]string{"server_version"}, durable...)
	names = append(names, "wal_level", "wal_sync_method", "shared_buffers", "max_wal_size", "checkpoint_timeout", "autovacuum")
	var shown []string
	for _, name := range names {
		value, err := l.show(ctx, name)
		if err != nil {
			return err
		}
		shown = append(shown, name+"="+value)
	}
	_, err := fmt.Fprintf(w, "- Postgres: %s.\n", strings.Join(shown, ", "))
	return err
}

// printKafka makes a topic as each run does, and shows what it is like.
func (l *lab) printKafka(ctx context.Context, w io.Writer) error {
	name := "compare_" + l.suffix + "_settings"
	if err := l.createTopics(ctx, name); err != nil {
		return err
	}
	defer func() { _, _ = l.admin.DeleteTopics(context.WithoutCancel(ctx), name) }()
	found, err := l.admin.ListTopics(ctx, name)
	if err != nil {
		return err
	}
	versions, err := l.admin.ApiVersions(ctx)
	if err != nil {
		return err
	}
	guess := ""
	for _, v := range versions.Sorted() {
		guess = v.VersionGuess()
	}
	configs, err := l.admin.DescribeTopicConfigs(ctx, name)
	if err != nil {
		return err
	}
	shown := []string{fmt.Sprintf("%d partitions, replication.factor=%d", len(found[name].Partitions), found[name].Partitions.NumReplicas())}
	for _, c := range configs[0].Configs {
		if slices.Contains([]string{"min.insync.replicas", "message.timestamp.type", "compression.type"}, c.Key) {
			shown = append(shown, c.Key+"="+c.MaybeValue())
		}
	}
	_, err = fmt.Fprintf(w, "- Kafka: %s, %d broker(s); each topic: %s.\n", guess, len(versions), strings.Join(shown, ", "))
	return err
}

// printVersions reads them from the programs themselves.
func (l *lab) printVersions(w io.Writer) error {
	for _, path := range []string{l.options.allocation, l.options.peer("floor"), l.options.peer("watermill")} {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			return err
		}
		var versions []string
		for _, d := range info.Deps {
			switch d.Path {
			case "github.com/jackc/pgx/v5", "github.com/twmb/franz-go", "github.com/IBM/sarama", "github.com/ThreeDotsLabs/watermill",
				"github.com/ThreeDotsLabs/watermill-kafka/v3", "github.com/ThreeDotsLabs/watermill-sql/v4":
				versions = append(versions, strings.TrimPrefix(d.Path, "github.com/")+" "+d.Version)
			}
		}
		fmt.Fprintf(w, "- Versions in `%s`: %s.\n", strings.TrimPrefix(info.Path, "allocation/"), strings.Join(versions, ", "))
	}
	return nil
}
