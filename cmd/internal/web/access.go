package web

import (
	"strings"

	"allocation/cmd/internal/config"
)

// Access says at which address something is served, and who may ask there. Its flags are called
// NAME-addr, NAME-token-file and NAME-hosts.
type Access struct {
	Name      string
	Addr      string
	TokenFile string
	Hosts     []string
}

// Check finds the mistakes, and gives the token. It writes the hosts as browsers send them.
func (a *Access) Check(p *config.Problems) (token string) {
	addr, file, hosts := a.Name+"-addr", a.Name+"-token-file", a.Name+"-hosts"
	p.Address(addr, a.Addr)
	for i, host := range a.Hosts {
		a.Hosts[i] = strings.ToLower(strings.TrimSpace(host))
		if strings.ContainsAny(host, "/: *") {
			p.Add(hosts, host, "names such as "+a.Name+".example.com, without a port")
		}
	}
	if a.TokenFile != "" {
		token = p.SecretFile(file, a.TokenFile)
	} else if !IsLoopback(a.Addr) {
		p.Say("%s is %q, which other machines reach; %s must name a file with a token of 16 characters or more", p.Label(addr), a.Addr, p.Label(file))
	}
	if token != "" && len(token) < 16 {
		p.Say("%s: the token has %d characters; it must have 16 or more", p.Label(file), len(token))
	}
	return token
}
