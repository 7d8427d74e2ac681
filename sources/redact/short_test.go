package redact

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/rendered/rendered/sources"
)

// A short secret is hidden where it stands by itself, and no word that has it in it is.
func TestShortSecrets(t *testing.T) {
	r := New()
	for _, s := range []string{"x7Q", "hunter2", "swordfish", "739153", "p@ss!w0", "ab1", "k${Z", "k%{Z"} {
		r.Learn(secret(s))
	}
	for _, hides := range []string{
		"x7Q", "token x7Q refused", "X7Q", "'x7Q'", "x7Qx7Q", "-x7Q-", "hunter2", "HUNTER2", "h u n t e r 2", "h-u-n-t-e-r-2", "pass=hunter2;", "hunter2x7Q",
		"swordfish", "s.w.o.r.d.f.i.s.h", "Swordfish", "739153", "739153739153", "pin739153", "739153abc", "p@ss!w0", "p@ss\\!w0", "P@SS!W0", "p%40ss%21w0", "k${Z", "k$${Z", `k\u0024{Z`, "k%{Z", "k%%{Z", "p&#64;ss!w0",
		base64.StdEncoding.EncodeToString([]byte("x7Q")), base64.StdEncoding.EncodeToString([]byte("app:x7Q\n")), hex.EncodeToString([]byte("hunter2")),
		base64.StdEncoding.EncodeToString([]byte("xhunter2x")), "aHVudGVyMg==", "739153NzM5MTUz", "\x1b[1mx7Q\x1b[0m", "aHVu\ndGVy\nMg==",
	} {
		got := r.Redact([]byte("before " + hides + " after"))
		if rest := strings.TrimSuffix(strings.TrimPrefix(got, "before "), " after"); !strings.Contains(rest, hidden) || strings.Contains(strings.ToLower(rest), "x7q") ||
			strings.Contains(rest, "unter") || strings.Contains(rest, "ordfish") || strings.Contains(rest, "73915") || strings.Contains(rest, "ss!w0") || strings.Contains(rest, "{Z") {
			t.Errorf("%q: %q", hides, got)
		}
	}
	for _, shown := range []string{"x7Qa", "ax7Q", "hunter20", "bounty hunter", "swordfishes", "1739153", "7391530", "xab1", "ab12", "x 7 Q"} {
		if got := r.Redact([]byte("before " + shown + " after")); got != "before "+shown+" after" {
			t.Errorf("%q: %q", shown, got)
		}
	}
}

// Each line of a secret is one, however long or short the secret is.
func TestLinesOfASecret(t *testing.T) {
	r := New()
	r.Learn(secret("bob\nhunter2\n"))
	long := []string{"key 12", "k1 value-of-1", "some words only, of small letters", "p4ss-of-line-4"}
	for i := range 200 {
		long = append(long, strings.Repeat("q", i%7+1)+"0123456789abcdef"[i%16:])
	}
	r.Learn(secret(strings.Join(long, "\n")))
	for _, hides := range []string{"hunter2", "k1 value-of-1", "p4ss-of-line-4", "P4SS-OF-LINE-4"} {
		if got := r.Redact([]byte("before " + hides + " after")); got != "before "+hidden+" after" {
			t.Errorf("%q: %q", hides, got)
		}
	}
	for _, shown := range []string{"key 12", "hunter20", "words", "small letter"} {
		if got := r.Redact([]byte("before " + shown + " after")); got != "before "+shown+" after" {
			t.Errorf("%q: %q", shown, got)
		}
	}
}

// What is no secret in AWS is not hidden, nor what anybody would guess.
func TestWhatIsNoSecret(t *testing.T) {
	r := New()
	r.Learn(sources.Value{Text: "plain-parameter-0123456789"})
	r.Learn(secret(`{"host":"db-1.Example.test","port":54321678,"username":"app_user_0001","user":"app_user_0002","engine":"postgres-15-custom",
		"dbname":"orders_0123456","region":"eu-west-1","password":"hT7-q9Zp0xKv","ttl":30,"size":12345,"debug":true,"note":"production",
		"endpoint":"orders.abcdefgh1234.eu-west-1.rds.amazonaws.com:5432","socket":"/run/postgresql/server_1234","url":"postgresql://app_user_0003:hT7-q9Zp0xKv@orders.example.test:5432/orders_1",
		"ip":"10.20.30.40","level":"info","none":null}`))
	for _, shown := range []string{
		"plain-parameter-0123456789", "db-1.Example.test", "54321678", "app_user_0001", "app_user_0002", "postgres-15-custom", "orders_0123456", "eu-west-1", "30", "12345",
		"true", "production", "orders.abcdefgh1234.eu-west-1.rds.amazonaws.com:5432", "/run/postgresql/server_1234", "postgresql://app_user_0003", "orders.example.test:5432",
		"10.20.30.40", "info", `"password": `,
	} {
		if got := r.Redact([]byte("before " + shown + " after")); got != "before "+shown+" after" {
			t.Errorf("%q: %q", shown, got)
		}
	}
	if got := r.Redact([]byte("postgresql://app_user_0003:hT7-q9Zp0xKv@orders.example.test:5432/orders_1")); !strings.HasPrefix(got, "postgresql://app_user_0003:"+hidden+"@orders.example") {
		t.Error(got)
	}
}

// Words of a template are shown, though a secret holds them.
func TestPublicText(t *testing.T) {
	r := New()
	r.Learn(secret("sslmode verify-full application settings99"))
	r.Learn(secret("verbatim"))
	template := `{{ secret "x" }} sslmode verify-full verbatim`
	if got := r.Redact([]byte("sslmode verify-full: verbatim"), template); got != "sslmode verify-full: verbatim" {
		t.Error(got)
	}
	if got := r.Redact([]byte("sslmode verify-full: verbatim, settings99"), template); !strings.Contains(got, "sslmode verify-full: verbatim") || strings.Contains(got, "settings99") {
		t.Error(got)
	}
	if got := r.Redact([]byte("verbatim")); got != hidden {
		t.Error(got)
	}
}

// Whatever goes wrong, nothing is shown, and the words for it say what it was and what helps. What
// the panic says is not among them.
func TestWithheld(t *testing.T) {
	broken := func(*collector) { panic("canary") }
	for name, breaks := range map[string]func(r *Redactor){
		"a value":         func(r *Redactor) { r.learn(1, broken) },
		"the table":       func(r *Redactor) { r.prints.owners = nil; r.Learn(secret("another-secret-0")) },
		"only in finding": func(r *Redactor) { r.prints.owners = nil },
	} {
		r := New()
		id := r.Learn(secret("hT7-q9Zp0xKv"))
		if words := r.Withholds([]ID{id}); words != "" {
			t.Fatal(words)
		}
		breaks(r)
		got := r.Redact([]byte("canary hT7-q9Zp0xKv"))
		for _, want := range []string{"‹output withheld", "a mistake in rendered itself: panic of ", "redact.", "please report", "by hand"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in %q", name, want, got)
			}
		}
		if strings.Contains(got, "canary") || strings.Contains(got, "hT7") {
			t.Errorf("%s: %q", name, got)
		}
		if words := r.Withholds([]ID{id}); name != "only in finding" && words != got {
			t.Errorf("%s: %q, but %q", name, words, got)
		}
	}
	r := New()
	r.most = 100
	id := r.Learn(secret(large(1)[:90]))
	r.Learn(secret(large(2)[:90]))
	if words := r.Withholds([]ID{id}); !strings.Contains(words, "more secrets than can be recognised") || !strings.Contains(words, "by hand") {
		t.Errorf("forgotten: %q", words)
	}
}

func TestForgetsTheLeastRecent(t *testing.T) {
	r := New()
	r.most = 2000
	first := r.Learn(secret("the first secret 0123456789"))
	var last ID
	for i := range 200 {
		last = r.Learn(secret(strings.Repeat(string(rune('a'+i%26)), i/26+1) + large(byte(i))[:60]))
		r.Learn(secret("the first secret 0123456789")) // it is in use
	}
	early := r.Learn(sources.Value{})
	if r.Withholds([]ID{first, last, early}) != "" || r.prints.count > r.most {
		t.Errorf("%d fingerprints, at most %d", r.prints.count, r.most)
	}
	if n := r.used.Len(); n >= 200 || n < 10 {
		t.Errorf("%d of 200 are known", n)
	}
	if got := r.Redact([]byte("the first secret 0123456789")); got != hidden {
		t.Error(got)
	}
	if got := r.Redact([]byte(large(0)[:60])); strings.Contains(got, hidden) {
		t.Errorf("what was forgotten is hidden: %s", got)
	}
}

// The version before is known by the file that held it.
func TestOldFiles(t *testing.T) {
	for _, tt := range []struct{ old, new, output, want string }{
		{"A=1\nDB_PASSWORD=\"old-Passw0rd-1\"\n", "A=1\nDB_PASSWORD=\"new-Passw0rd-2\"\n", "2c2\n< DB_PASSWORD=\"old-Passw0rd-1\"\n---\n", "2c2\n< DB_PASSWORD=\"‹value›\"\n---\n"},
		{"PASSWORD=swordfish\n", "PASSWORD=hunter2x\n", "< PASSWORD=swordfish", "< PASSWORD=‹value›"},
		{"p: hunter2\n", "p: 98f7a\n", "-p: hunter2", "-p: ‹value›"},
		{`{"a":"x7Qz","b":2}`, `{"a":"y8Rz","b":2}`, `< {"a":"x7Qz","b":2}`, `< {"a":"‹value›","b":2}`},
		{"a\nold line 0123456\nb\n", "a\nb\n", "< old line 0123456", "< ‹value›"},
		{"key\n\x00\x01\x02\x03binary\xff\xfe0123", "new", "Binary \x00\x01\x02\x03binary\xff\xfe0123", "Binary ‹value›"},
		{"worker 1024;\n", "worker 2048;\n", "< worker 1024;", "< worker 1024;"},
	} {
		r := New()
		r.LearnOld([]byte(tt.old), []byte(tt.new))
		if got := r.Redact([]byte(tt.output)); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.output, got, tt.want)
		}
	}
}

// Of a private key nothing is shown that is in PEM, whoever's it is.
func TestPrivateKeysOfNobody(t *testing.T) {
	const key = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nQIBADANBgkqhkiG9w0BAQ==\n-----END RSA PRIVATE KEY-----"
	for _, tt := range []struct{ output, want string }{
		{"a\n" + key + "\nb", "a\n‹value›\nb"},
		{"a\n" + key[:90] + "\nnot found: b", "a\n‹value›not found: b"},
		{"a is here\n" + key[90:] + "\nb", "a is here\n‹value›\nb"},
		{strings.ReplaceAll("x: "+key+"; y", "\n", `\n`), "x: ‹value›; y"},
		{"a: " + base64.StdEncoding.EncodeToString([]byte(key)) + " b", "a: ‹value›== b"},
		{strings.ReplaceAll(key, "RSA ", "OPENSSH ") + "\n" + key, "‹value›\n‹value›"},
		{strings.ReplaceAll(key, "RSA ", "") + "\r\nd e", "‹value›\r\nd e"},
		{"< " + strings.ReplaceAll(key[:90], "\n", "\n< "), "< ‹value›"},
	} {
		if got := New().Redact([]byte(tt.output)); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.output, got, tt.want)
		}
	}
	const certificate = "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END CERTIFICATE-----\n"
	if got := New().Redact([]byte(certificate)); got != certificate {
		t.Error(got)
	}
}

// A secret whose windows are of a to z alone, or of one character, is a word.
func TestMonotonousSecrets(t *testing.T) {
	for _, value := range []string{"aaaaaaaa1", "1aaaaaaaa", "aaaaaaaaX"} {
		r := New()
		r.Learn(secret(value))
		if got, want := r.Redact([]byte("password="+value+" in line 3")), "password="+hidden+" in line 3"; got != want {
			t.Errorf("%s: %q, not %q", value, got, want)
		}
	}
}
