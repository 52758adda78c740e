package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// report is what the group was told last of a partition. Only a worker's tells of the database:
// another consumer's offsets are no evidence.
type report struct {
	at       int64
	worker   bool
	database [16]byte
	nonce    [16]byte // the last that its worker wrote into its database
	member   string
}

// reportMark begins the metadata of an offset that a worker commits: then come the database, the
// nonce, and the member of the group.
const reportMark = "worker/1"

func (r *report) metadata() string {
	return fmt.Sprintf("%s %s %s %s", reportMark, uuid.UUID(r.database), uuid.UUID(r.nonce), r.member)
}

func readReport(at int64, metadata string) report {
	words := strings.Split(metadata, " ")
	if len(words) != 4 || words[0] != reportMark {
		return report{at: at}
	}
	database, err := uuid.Parse(words[1])
	if err != nil {
		return report{at: at}
	}
	nonce, err := uuid.Parse(words[2])
	if err != nil {
		return report{at: at}
	}
	return report{at: at, worker: true, database: database, nonce: nonce, member: words[3]}
}

// reports asks what the group was told.
func (w *Worker) reports(ctx context.Context) (map[TopicPartition]report, error) {
	offsets, err := w.admin.FetchOffsets(ctx, w.cfg.Group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil // nobody was in it yet
	}
	if err != nil {
		return nil, fmt.Errorf("fetch offsets of group %s: %w", w.cfg.Group, err)
	}
	reports := map[TopicPartition]report{}
	for topic, partitions := range offsets {
		for p, o := range partitions {
			if o.Err == nil {
				reports[TopicPartition{topic, p}] = readReport(o.At, o.Metadata)
			}
		}
	}
	return reports, nil
}

// latest are the last nonces of the members that told any: they sort by time.
func latest(reports map[TopicPartition]report) map[string][16]byte {
	told := map[string][16]byte{}
	for _, r := range reports {
		if last, ok := told[r.member]; r.worker && (!ok || bytes.Compare(r.nonce[:], last[:]) > 0) {
			told[r.member] = r.nonce
		}
	}
	return told
}

// signing has each offset of a commit carry what this worker says of itself.
func (w *Worker) signing(ctx context.Context) context.Context {
	return kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		w.mu.Lock()
		own := report{database: w.database, nonce: w.nonce, member: req.MemberID}
		w.mu.Unlock()
		metadata := own.metadata()
		for t := range req.Topics {
			for p := range req.Topics[t].Partitions {
				req.Topics[t].Partitions[p].Metadata = &metadata
			}
		}
		return nil
	})
}
