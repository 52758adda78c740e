package security

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/kafka"
	"allocation/deploy/testbed/proxy"
)

// The listeners. Those after MUTUAL serve certificates that are not as they should be.
const (
	withPasswords    = "PASSWORDS"
	withCertificates = "MUTUAL"
	expired          = "EXPIRED"
	ofStranger       = "STRANGER"
	forOtherHost     = "ELSEWHERE"
	onlyPlain        = "PLAIN"
)

var users = []string{"allocation-owner", "allocation-worker", "allocation-producer", "allocation-consumer", "allocation-operator"}

func (s *site) startKafka() {
	s.passwords, s.mutual = testbed.Proxy(s.t), testbed.Proxy(s.t)
	serving := map[string]identity{
		withPasswords:    s.known.issue("kafka", soon(), "127.0.0.1"),
		withCertificates: s.known.issue("kafka", soon(), "127.0.0.1"),
		expired:          s.known.issue("kafka", past(), "127.0.0.1"),
		ofStranger:       s.stranger.issue("kafka", soon(), "127.0.0.1"),
		forOtherHost:     s.known.issue("kafka", soon(), "kafka.example", "127.0.0.2"),
		onlyPlain:        s.known.issue("kafka", soon(), "127.0.0.1"),
	}
	settings := s.kafkaSettings()
	for name, id := range serving {
		settings["listener.name."+strings.ToLower(name)+".ssl.keystore.location"] = s.file("kafka-"+name+".pem", id.key, id.cert)
	}
	listeners := []kafka.Listener{
		{Name: withPasswords, Advertised: s.passwords.Addr()}, {Name: withCertificates, Advertised: s.mutual.Addr()},
		{Name: expired}, {Name: ofStranger}, {Name: forOtherHost}, {Name: onlyPlain},
	}
	var scram []string
	for _, user := range users {
		for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			scram = append(scram, fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, user, passwordOf(user)))
		}
	}
	s.kafka = testbed.StartSecuredKafka(s.t, settings, listeners, scram)
	s.lead(s.passwords, withPasswords)
	s.lead(s.mutual, withCertificates)
	s.admin = s.plainClient()
	for _, rule := range s.rules() {
		s.allow(rule)
	}
}

// lead has clients that come by a proxy connect again, to another listener.
func (s *site) lead(way *proxy.Proxy, listener string) {
	way.Lead(s.kafka.Address(listener))
	way.Cut()
}

func (s *site) kafkaSettings() testbed.KafkaSettings {
	settings := testbed.KafkaSettings{
		"listener.security.protocol.map":       "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PASSWORDS:SASL_SSL,MUTUAL:SSL,EXPIRED:SASL_SSL,STRANGER:SASL_SSL,ELSEWHERE:SASL_SSL,PLAIN:SASL_SSL",
		"ssl.keystore.type":                    "PEM",
		"ssl.truststore.type":                  "PEM",
		"ssl.truststore.location":              s.dir + "/ca.pem",
		"ssl.principal.mapping.rules":          "RULE:^CN=([^,]+).*$/$1/",
		"listener.name.mutual.ssl.client.auth": "required",
		"authorizer.class.name":                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                          "User:ANONYMOUS",
		"num.network.threads":                  "1",
	}
	plain := "org.apache.kafka.common.security.plain.PlainLoginModule required"
	for _, user := range users {
		plain += fmt.Sprintf(" user_%s=%q", user, passwordOf(user))
	}
	for _, name := range []string{withPasswords, expired, ofStranger, forOtherHost, onlyPlain} {
		prefix := "listener.name." + strings.ToLower(name) + "."
		settings[prefix+"sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
		if name == onlyPlain {
			settings[prefix+"sasl.enabled.mechanisms"] = "PLAIN"
		}
		settings[prefix+"plain.sasl.jaas.config"] = plain + ";"
		for _, mechanism := range []string{"scram-sha-256", "scram-sha-512"} {
			settings[prefix+mechanism+".sasl.jaas.config"] = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
		}
	}
	return settings
}

// rule is what a principal may do with a topic or the group.
type rule struct{ principal, operation, kind, name string }

func (r rule) String() string {
	return strings.Join([]string{r.principal, r.operation, r.kind, r.name}, " ")
}

// rules reads the commands of SECURITY.md.
func (s *site) rules() []rule {
	s.t.Helper()
	var rules []rule
	for line := range strings.SplitSeq(s.document, "\n") {
		if !strings.HasPrefix(line, "kafka-acls ") {
			continue
		}
		words := strings.Fields(line)
		require.Len(s.t, words, 12, line)
		require.Equal(s.t, []string{"--bootstrap-server", "kafka:9092", "--command-config", "admin.properties", "--add", "--allow-principal"}, words[1:7], line)
		rules = append(rules, rule{words[7], words[9], strings.TrimPrefix(words[10], "--"), words[11]})
	}
	require.NotEmpty(s.t, rules)
	return rules
}

func (r rule) types(s *site) (kmsg.ACLResourceType, kmsg.ACLOperation) {
	kind, err := kmsg.ParseACLResourceType(r.kind)
	require.NoError(s.t, err)
	operation, err := kmsg.ParseACLOperation(r.operation)
	require.NoError(s.t, err)
	return kind, operation
}

func (s *site) allow(r rule) {
	s.t.Helper()
	creation := kmsg.NewCreateACLsRequestCreation()
	creation.ResourceType, creation.Operation = r.types(s)
	creation.ResourceName, creation.Principal, creation.Host = r.name, r.principal, "*"
	creation.ResourcePatternType, creation.PermissionType = kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLPermissionTypeAllow
	request := kmsg.NewPtrCreateACLsRequest()
	request.Creations = append(request.Creations, creation)
	answer, err := request.RequestWith(s.t.Context(), s.admin)
	require.NoError(s.t, err)
	require.Zero(s.t, answer.Results[0].ErrorCode, r)
}

func (s *site) forbid(r rule) {
	s.t.Helper()
	filter := kmsg.NewDeleteACLsRequestFilter()
	filter.ResourceType, filter.Operation = r.types(s)
	filter.ResourceName, filter.Principal = &r.name, &r.principal
	filter.ResourcePatternType, filter.PermissionType = kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLPermissionTypeAllow
	request := kmsg.NewPtrDeleteACLsRequest()
	request.Filters = append(request.Filters, filter)
	answer, err := request.RequestWith(s.t.Context(), s.admin)
	require.NoError(s.t, err)
	require.Len(s.t, answer.Results[0].MatchingACLs, 1, r)
}
