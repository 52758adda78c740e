package api

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// requestID is the ce_id of the command of a customer's idempotency key. Each part stands behind
// its length, and the first names what it is for, so that no two meanings have one id.
func requestID(customer, key string) string {
	hash := sha256.New()
	for _, part := range []string{"orders.v1 idempotency key", customer, key} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write([]byte(part))
	}
	return hex.EncodeToString(hash.Sum(nil))
}
