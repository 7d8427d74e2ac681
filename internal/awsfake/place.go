package awsfake

import (
	"regexp"
	"strings"
	"time"
)

// A Place is one account in one Region, with what it holds there. A Server is one itself: the place
// it was made for.
type Place struct {
	server          *Server
	region, account string

	secrets       map[string]*secret
	parameters    map[string]*parameter // by key; without AWS's own, which are the Region's
	queues        map[string]*queue
	tables        map[string]*table
	subscriptions []*subscription
	buckets       map[Family]time.Time // when each will be full again
}

func newPlace(s *Server, account, region string) *Place {
	return &Place{
		server: s, account: account, region: region,
		secrets: make(map[string]*secret), parameters: make(map[string]*parameter),
		queues: make(map[string]*queue), tables: make(map[string]*table), buckets: make(map[Family]time.Time),
	}
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// In gives the place of another account or Region; "" is the server's own. From the first In on the
// server has an endpoint in the Region: before that it refuses what is signed for it.
func (s *Server) In(account, region string) *Place {
	s.mu.Lock()
	defer s.mu.Unlock()
	if account == "" {
		account = s.account
	}
	if region == "" {
		region = s.region
	}
	if !accountID.MatchString(account) {
		panic("awsfake: " + account + " is not the number of an account")
	}
	s.regions[region] = true
	return s.at(account, region)
}

// at gives the place, an empty one where nobody has been. The server is locked.
func (s *Server) at(account, region string) *Place {
	where := [2]string{account, region}
	if s.places[where] == nil {
		s.places[where] = newPlace(s, account, region)
	}
	return s.places[where]
}

// instance is who a virtual machine of this account is, with the role web.
func (at *Place) instance() identity { return assumed(at.account, "web", "i-0123456789abcdef0") }

// self is a call that nobody has sent.
func (at *Place) self() *call {
	return &call{service: secretsManager, place: at, caller: at.instance()}
}

// An arn is the parts of arn:aws:service:region:account:resource.
type arn struct{ service, region, account, resource string }

func parseARN(text string) (arn, bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[1] != "aws" {
		return arn{}, false
	}
	return arn{parts[2], parts[3], parts[4], parts[5]}, true
}

// Share lets another account have what has this name here: read a secret or a parameter by its ARN,
// use a queue by its URL. For a secret or a queue that takes a resource policy, for a parameter a
// share of AWS RAM, which makes it an advanced one.
func (at *Place) Share(name, account string) {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	sec, par, q := at.secrets[name], at.parameters[strings.TrimPrefix(name, "/")], at.queues[name]
	if sec == nil && par == nil && q == nil {
		panic("awsfake: there is no " + name + " to share")
	}
	if sec != nil {
		sec.shared = append(sec.shared, account)
	}
	if par != nil {
		par.shared, par.tier = append(par.shared, account), "Advanced"
	}
	if q != nil {
		q.shared = append(q.shared, account)
	}
}
