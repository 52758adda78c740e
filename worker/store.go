package worker

import "context"

// Store is where positions are kept and commands are applied. Its errors are a *FencedError, a
// *LockedError, ErrConflict, ErrOutage or ErrUnknownOutcome; any other is the fault of something in
// the transaction.
type Store interface {
	// Apply commits a transaction, or its first commands if all together are too many changes,
	// or nothing.
	Apply(ctx context.Context, transaction Transaction) (Applied, error)

	// Claiming partitions.

	// EnsurePositions gives a position to partitions that have none. All partitions of a new topic
	// should come at once.
	EnsurePositions(ctx context.Context, requests []ClaimRequest) error
	// Claim makes this worker the owner of partitions, after transactions in flight on them have
	// ended. Claims come in the order of requests. With a *LockedError, those that it does not name
	// were claimed.
	Claim(ctx context.Context, requests []ClaimRequest) ([]Claim, error)
	// Ping answers whether the database can be reached and written to.
	Ping(ctx context.Context) error

	// Positions of anybody.

	// PositionRecords are all positions.
	PositionRecords(ctx context.Context) ([]PositionRecord, error)
	// ClaimOrphans claims those whose token in the database is still that of the record given.
	// Others are not in the answer.
	ClaimOrphans(ctx context.Context, positions []PositionRecord) ([]Claim, error)

	// How far rows are published, and what people and other workers are told.

	// SavePublished writes how far rows are published, and returns the sources whose claim was
	// lost. With a *LockedError, those that it does not name were written.
	SavePublished(ctx context.Context, progress []Progress) (lost []int32, err error)
	// SaveTroubles writes down for people from which partitions nothing comes, and where that has
	// ended.
	SaveTroubles(ctx context.Context, troubles []Trouble) error
	// Listen calls nudged with sources whose published row somebody waits for, decided when an
	// operator decided something, and nonceAsked when workers are to write one, until the context
	// or the connection ends.
	Listen(ctx context.Context, nudged func(sources []int32), decided, nonceAsked func()) error

	// Workers of this database, and of others, which may be its copies.

	// WriteNonce writes an id that this worker made up into the database, and returns the
	// database's own.
	WriteNonce(ctx context.Context, id [16]byte) (database [16]byte, err error)
	// KnownNonces are those of the ids that were written into this database.
	KnownNonces(ctx context.Context, ids [][16]byte) (known [][16]byte, err error)
	// AskForNonces has all workers of this database write a new nonce soon.
	AskForNonces(ctx context.Context) error

	// What cannot be applied when it comes.

	// Backlogs says what is parked for partitions, where there is something.
	Backlogs(ctx context.Context, sources []int32) (map[int32]Backlog, error)
	// NextRedrive gives what may be applied now of what is parked for a partition, at most so many
	// commands, in order. It counts the attempt; forget says that those of before ended, with an
	// error.
	NextRedrive(ctx context.Context, source int32, most int, forget bool) (RedriveBatch, error)
	// BeginProbe notes that a partition's records up to an offset are about to be applied. reset
	// says that the probes of before ended, with an error.
	BeginProbe(ctx context.Context, move PositionMove, end int64, reset bool) (Probe, error)

	// Batches of records that an operator wants read again.

	// BeginReread says how far a batch is, and the zero value if nobody wants it read any more. It
	// counts the attempt; forget says that those of before ended, with an error.
	BeginReread(ctx context.Context, letter LetterID, forget bool) (BatchLetter, error)
	// StopReread gives the decision back to the operator, and says why, if the batch is as far as
	// the caller knows.
	StopReread(ctx context.Context, letter BatchLetter, why string) error
}
