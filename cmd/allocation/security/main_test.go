package security

import (
	"testing"

	"allocation/deploy/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// TestSecured shares one secured Kafka and one secured Postgres among all that is proven on them,
// one after the other.
func TestSecured(t *testing.T) {
	testbed.Long(t)
	s := newSite(t)
	for _, c := range []struct {
		name string
		run  func(*site)
	}{
		{"letsInWhoIsKnown", letsIn},
		{"letsOperatorsDecide", operates},
		{"namesTheSettingAtFault", namesTheSetting},
		{"waitsWhereAccessIsLost", waits},
		{"readsRotatedSecretsAgain", rotates},
		{"leavesOutWhatATopicMayNotHave", leavesOut},
		{"needsEachACL", needsEachACL},
		{"needsEachGrant", needsEachGrant},
		{"keepsSecrets", keepsSecrets},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(s.in(t)) })
	}
}
