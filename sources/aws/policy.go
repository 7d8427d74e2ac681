package aws

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources"
)

const (
	actAssume  = "sts:AssumeRole"
	actDecrypt = "kms:Decrypt"
)

// A Policy is what one identity must be allowed, and nothing that it need not.
type Policy struct {
	// Accounts are those of Options whose role the identity is, sorted; none: it is the daemon's
	// own.
	Accounts []string
	// Role is the role's ARN. "" is whatever the environment's credentials belong to.
	Role string
	// Base says that the credentials are only there to assume Options.RoleARN with.
	Base       bool
	Statements []Statement
}

// Wants are what an instance of the program wants to be allowed.
type Wants struct {
	Refs  []sources.Ref // that it looks up
	Queue string        // URL of the queue of change notices; "": there is none
	// Table is that of DynamoDB at which the hosts of a fleet meet; "": there is none. Parts are
	// the partition keys that they use.
	Table string
	Parts []string
	// Keys are the ARNs of the KMS keys that values are encrypted with, beside AWS's own, which
	// need no permission.
	Keys []string
	// Account is the twelve digits of the account that the environment's credentials are of; "" is
	// not known: any.
	Account string
}

// A grant is what a policy allows in one place.
type grant struct {
	asker   string // ARN of the role that asks; "" is the daemon's own identity
	region  string
	account string // digits; "*" is not known
}

// A permission is one action on some resources.
type permission struct {
	grant
	action    string
	resources Words
	via       sources.Service // that has KMS decrypt for whoever has the permission; "": none
	parts     []string        // partition keys of a table, beside which it does not hold
}

// Policies gives what each identity must be allowed so that the refs can be looked up, the daemon's
// own first. Nothing is asked. Options.Region "" is any Region. The error is that of a ref that AWS
// never answers, a *sources.Error, or that a key is of no use.
func Policies(o Options, w Wants) ([]Policy, error) {
	if o.Region == "" {
		o.Region = "*"
	}
	if w.Account == "" {
		w.Account = "*"
	}
	s := Offline(o)
	var list []permission
	for _, r := range w.Refs {
		if askers[r.Kind] == nil {
			continue // the identity that asks may always know itself
		}
		needed, err := s.permissions(r, w.Account)
		if err != nil {
			return nil, err
		}
		list = append(list, needed...)
	}
	for _, key := range w.Keys {
		decrypts, err := decrypting(key, list)
		if err != nil {
			return nil, err
		}
		list = append(list, decrypts...)
	}
	if w.Queue != "" {
		region := queueRegion(w.Queue, o.Region)
		account, queue := path.Base(path.Dir(w.Queue)), sources.Ref{Kind: queueKind, Name: path.Base(w.Queue)}
		for _, action := range queueActions {
			list = append(list, permission{grant: grant{"", region, account}, action: action, resources: resources(queue, region, account)})
		}
	}
	return s.gathered(append(list, w.table(o)...), w.Account), nil
}

// table gives the permissions that the table of a fleet takes.
func (w Wants) table(o Options) (list []permission) {
	if w.Table == "" {
		return nil
	}
	at := grant{"", o.Region, cmp.Or(accountOf(o.RoleARN), w.Account)}
	for _, action := range tableActions {
		list = append(list, permission{
			grant: at, action: action, resources: resources(sources.Ref{Kind: tableKind, Name: w.Table}, at.region, at.account), parts: w.Parts,
		})
	}
	return list
}

// permissions gives those that a ref takes. Where the account of the daemon's own identity is not
// known from a role it is own.
func (s *Source) permissions(r sources.Ref, own string) ([]permission, *sources.Error) {
	at, err := s.locate(r)
	if err != nil {
		return nil, err
	}
	p := permission{grant: grant{s.options.Accounts[at.account].RoleARN, at.region, s.numbered(r, at, own)}, via: r.Kind.Traits().Call.Service}
	with := func(action string, on Words) permission {
		p.action, p.resources = action, on
		return p
	}
	named := resources(r, p.region, p.account)
	if isPublic(r) {
		p.via = "" // they are nobody's secret
	}
	switch {
	case r.Kind == sources.Params:
		return []permission{with(actPath, named)}, nil
	case r.Kind == sources.Secret && s.options.BatchSecrets && batchable(r):
		return []permission{with(actSecret, named), with(actSecretBatch, Words{"*"})}, nil
	case r.Kind == sources.Secret:
		return []permission{with(actSecret, named)}, nil
	}
	action := actParams
	if r.Selector != "" {
		action = actParam
	}
	secret := r.Original()
	if secret == r {
		return []permission{with(action, named)}, nil
	}
	p.via = sources.SecretsManager
	behind := resources(secret, p.region, p.account)
	return []permission{with(action, named), with(actSecret, behind)}, nil
}

// numbered gives the digits of the account that a ref is looked up in. A name without an account
// that has a role is looked up in the account of who asks.
func (s *Source) numbered(r sources.Ref, at location, own string) string {
	if a, ok := sources.ParseARN(r.Name); ok {
		return a.Account
	}
	if s.options.Accounts[at.account].RoleARN == "" {
		at.account = ""
	}
	if id := s.accountID(at.account); id != "" {
		return id
	}
	return own
}

var keyARN = lazyregexp.New(`^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)

// IsKey tells whether a text is the ARN of a KMS key. That of an alias, which no policy can name,
// is none.
func IsKey(text string) bool { return keyARN.MatchString(text) }

// decrypting gives the permissions to decrypt with a key what others let read. The key is one of
// its Region and, where something is read in its account, of that account; accounts that are not
// known come next, and those of others, which the key may let in, last.
func decrypting(key string, list []permission) (found []permission, err error) {
	a, ok := sources.ParseARN(key)
	if !ok || !IsKey(key) {
		return nil, fmt.Errorf("%s is not the ARN of a KMS key", key)
	}
	for _, account := range []func(string) bool{
		func(other string) bool { return other == a.Account },
		func(other string) bool { return other == "*" },
		func(string) bool { return true },
	} {
		for _, p := range list {
			if p.action != actDecrypt && p.via != "" && (p.region == a.Region || p.region == "*") && account(p.account) {
				p.region, p.account, p.action, p.resources = a.Region, a.Account, actDecrypt, Words{key}
				found = append(found, p)
			}
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	return nil, fmt.Errorf("KMS key %s decrypts nothing: nothing is looked up in %s", key, a.Region)
}

// gathered gives the policies that have these permissions. The account of the daemon's own identity
// is home where no role tells it.
func (s *Source) gathered(list []permission, home string) (policies []Policy) {
	own := Policy{Role: s.options.RoleARN}
	var others []Policy
	for _, name := range slices.Sorted(maps.Keys(s.options.Accounts)) {
		role := s.options.Accounts[name].RoleARN
		i := slices.IndexFunc(others, func(p Policy) bool { return p.Role == role })
		switch {
		case !slices.ContainsFunc(list, func(p permission) bool { return role != "" && p.asker == role }):
		case i < 0:
			others = append(others, Policy{Accounts: []string{name}, Role: role, Statements: statements(list, role, accountOf(role))})
		default:
			others[i].Accounts = append(others[i].Accounts, name)
		}
	}
	own.Statements = append(assuming("AssumeRoleOfAccounts", others), statements(list, "", cmp.Or(accountOf(own.Role), home))...)
	if s.options.RoleARN != "" && len(own.Statements) > 0 {
		policies = append(policies, Policy{Base: true, Statements: assuming("AssumeRole", []Policy{own})})
	}
	if len(own.Statements) > 0 {
		policies = append(policies, own)
	}
	return append(policies, others...)
}

func accountOf(role string) string {
	a, _ := sources.ParseARN(role)
	return a.Account
}

// assuming gives the statement that lets the roles of policies be assumed; none where there are
// none.
func assuming(sid string, policies []Policy) []Statement {
	var roles Words
	for _, p := range policies {
		roles = append(roles, p.Role)
	}
	if len(roles) == 0 {
		return nil
	}
	return []Statement{{Sid: sid, Effect: allow, Action: Words{actAssume}, Resource: roles}}
}

// order is that of actions in a policy.
var order = slices.Concat([]string{actSecret, actSecretBatch, actParams, actParam, actPath, actDecrypt}, queueActions, tableActions)

// statements gives those of who asks, whose account is home: one for each action, Region and
// account, and one for a queue and a table. The same permissions give the same, in whatever order
// they come.
func statements(list []permission, asker, home string) (statements []Statement) {
	resources := make(map[string]map[string]bool) // by id
	for _, action := range order {
		for _, p := range list {
			if p.asker != asker || p.action != action {
				continue
			}
			id := p.sid(home)
			if resources[id] == nil {
				resources[id] = make(map[string]bool)
				statements = append(statements, Statement{Sid: id, Effect: allow})
			}
			for _, arn := range p.resources {
				resources[id][arn] = true
			}
			s := &statements[slices.IndexFunc(statements, func(s Statement) bool { return s.Sid == id })]
			s.Action = s.Action.with(action)
			switch {
			case action == actDecrypt:
				s.decryptOnly(p)
			case p.parts != nil:
				s.Condition = leading(p.parts)
			}
		}
	}
	for i := range statements {
		all := resources[statements[i].Sid]
		for _, arn := range slices.Sorted(maps.Keys(all)) {
			if !covered(arn, all) {
				statements[i].Resource = append(statements[i].Resource, arn)
			}
		}
	}
	rank := func(s Statement) int { return slices.Index(order, s.Action[0]) }
	slices.SortFunc(statements, func(a, b Statement) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Sid, b.Sid)) })
	return statements
}

// covered tells whether a resource of a policy is also meant by another that ends in one of the
// patterns that resources gives.
func covered(arn string, by map[string]bool) bool {
	for i := range arn {
		if all := arn[:i] + "/*"; arn[i] == '/' && all != arn && by[all] {
			return true
		}
	}
	n := len(arn) - len("-??????")
	return n > 0 && arn[n] == '-' && arn[n:] != "-??????" && by[arn[:n]+"-??????"]
}

// with gives the words with others that are not among them yet.
func (w Words) with(others ...string) Words {
	for _, other := range others {
		if !slices.Contains(w, other) {
			w = append(w, other)
		}
	}
	return w
}

// decryptOnly has a statement hold only for what is read through a service.
func (s *Statement) decryptOnly(p permission) {
	const operator, key = "StringEquals", "kms:ViaService"
	if s.Condition == nil {
		s.Condition = map[string]map[string]Words{operator: {}}
	}
	service := map[sources.Service]string{sources.SecretsManager: "secretsmanager", sources.ParameterStore: "ssm"}[p.via]
	host := service + "." + p.region + ".amazonaws.com"
	hosts := []string{host}
	if partition(p.region) == "aws-cn" { // whose services are called so and so
		hosts = append(hosts, host+".cn")
	}
	s.Condition[operator][key] = slices.Sorted(slices.Values(s.Condition[operator][key].with(hosts...)))
}

// sid gives the id of the statement that a permission is part of.
func (p permission) sid(home string) string {
	_, id, _ := strings.Cut(p.action, ":")
	switch {
	case slices.Contains(queueActions, p.action):
		id = "Queue"
	case slices.Contains(tableActions, p.action):
		id = "Fleet"
	}
	if p.action == actSecretBatch {
		return id // it is on everything, wherever that is
	}
	for word := range strings.SplitSeq(p.region, "-") {
		if word != "*" {
			id += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	if p.account != "*" && p.account != home {
		id += "Of" + p.account
	}
	return id
}

// HomeRegion gives the Region that New would ask, as far as it is known without a network: "" where
// instance metadata may know it.
func HomeRegion(ctx context.Context, o Options) string {
	if o.Region != "" {
		return o.Region
	}
	c := newConnections(o)
	defer c.Close()
	cfg, _, err := load(ctx, o, c)
	if err != nil {
		return ""
	}
	return cfg.Region
}
