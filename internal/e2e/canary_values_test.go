package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/testpki"
)

// canaries are values of every shape that a secret may have.
func canaries() map[string]string {
	noise := rand.NewChaCha8([32]byte{1})
	bytes := func(n int) []byte {
		b := make([]byte, n)
		noise.Read(b)
		return b
	}
	var pem strings.Builder
	pem.WriteString("-----BEGIN PRIVATE KEY-----\n")
	for range 60 {
		pem.WriteString(base64.StdEncoding.EncodeToString(bytes(48)) + "\n")
	}
	pem.WriteString("-----END PRIVATE KEY-----\n")
	return map[string]string{
		"digits":  "739153",
		"eight":   "q7Zp0xKv",
		"hostile": "qu%zo\"te\\d <canary>\nsecond canary line",
		"pem":     pem.String(),
		"object":  `{"login":"canary-user","password":"canary-pass","pin":73915377}`,
		"base64":  base64.StdEncoding.EncodeToString(bytes(30)),
		"url":     "amqp://ca:s3cr%40t-canary@db.example:5432/canary",
		"utf8":    "пароль-канарейка-密码",
		"large":   strings.Repeat("canary in a coal mine, ", 2780),
		"dash":    "-rf canary --password=canary",
		"number":  "9223372036854775807",
		"action":  "{{ canary action }}",
	}
}

// fewCanaries are those whose shape troubles most readers.
var fewCanaries = []string{"hostile", "object", "pem"}

// certificates are bundles that a rule of verify refuses, each by another; their names are canaries
// as well.
func certificates() map[string]string {
	now := time.Now()
	past, future := now.Add(-48*time.Hour), now.Add(48*time.Hour)
	leaf := testpki.Leaf(past, future, "canary-san.example", "203.0.113.77")
	leaf.Subject.CommonName = "canary-cn"
	over := leaf
	over.NotAfter = past.Add(time.Hour)
	ca, other := testpki.New(testpki.CA("canary-ca", past, future), nil, nil), testpki.New(testpki.CA("canary-ca", past, future), nil, nil)
	site, ended := testpki.New(leaf, nil, ca), testpki.New(over, nil, ca)
	return map[string]string{
		"tls-host":    site.CertPEM() + ca.CertPEM() + site.KeyPEM(),
		"tls-order":   ca.CertPEM() + site.CertPEM() + site.KeyPEM(),
		"tls-twice":   site.CertPEM() + site.CertPEM() + site.KeyPEM(),
		"tls-foreign": site.CertPEM() + other.CertPEM() + site.KeyPEM(),
		"tls-key":     site.CertPEM() + ca.CertPEM() + other.KeyPEM(),
		"tls-ended":   ended.CertPEM() + ended.KeyPEM(),
		"tls-no-key":  site.CertPEM(),
	}
}

// misuses are templates that go wrong with the value of the secret that stands for %s.
var misuses = []string{
	`{{ range $x := coalesce "" (secret "%s") }}{{ end }}`,
	`{{ index (coalesce "" (secret "%s")) "key" }}`,
	`{{ (coalesce "" (secret "%s")).Data.password }}`,
	`{{ secret "%s" "no" "such" "key" }}`,
	`{{ secret "%s" | atoi }}`,
	`{{ add (secret "%s") 1 | printf "%%s%%!d(string=x)" }}`,
	`{{ secret "%s" | fail }}`,
	`{{ secret "%s" | fromJson }}{{ "" | fail }}`,
	`{{ secret "%s" | mustFromJson }}{{ "" | fail }}`,
	`{{ secret "%s" | b64dec }}{{ "" | fail }}`,
	`{{ regexMatch (coalesce "" (secret "%s")) hostname }}{{ "" | fail }}`,
	`{{ mustRegexMatch (coalesce "" (secret "%s")) hostname }}{{ "" | fail }}`,
	`{{ printf "%%d" (secret "%s") }}`,
	`{{ param (secret "%s") }}`,
	`{{ secret (secret "%s") }}`,
	`{{ secret "%[1]s" (secret "%[1]s") }}`,
	`{{ file (secret "%s") }}`,
	`{{ env (secret "%s") }}{{ "" | fail }}`,
	`{{ get (dict) (secret "%s") }}`,
	`{{ index (dict "a" 1) (secret "%s") }}`,
	`{{ dotenv (dict (secret "%[1]s") 1 (printf "%%s " (secret "%[1]s")) 2) }}{{ "" | fail }}`,
	`{{ repeat 3 (secret "%s") | int }}{{ "" | fail }}`,
	`{{ call (secret "%s") }}`,
	`{{ substr 0 1000000 (secret "%s") }}`, // it panics
	`{{ slice (secret "%s") 1000000 }}`,
	`{{ lt (secret "%s") 1 }}`,
	`{{ (secret "%s") | toDecimal }}{{ "" | fail }}`,
	`{{ with $v := secretMap "%s" }}{{ $v.none }}{{ end }}{{ "" | fail }}`,
	`{{ secretBytes "%s" | toJson | printf "%%d" }}`,
	`{{ printf "a: [%%s" (secret "%s") | fromYaml }}{{ "" | fail }}`,
	`{{ secret "%s" | fromToml }}{{ "" | fail }}`,
	`{{ toToml (dict (secret "%s") nil) }}`,
	`{{ printf "http://%%s%%%%zz" (secret "%s") | urlParse }}`,
	`{{ urlJoin (dict "userinfo" (print (secret "%s") "@/")) }}`,
	`{{ secret "%s" | semver }}{{ "" | fail }}`,
	`{{ printf "%%s,a,a" (secret "%s") | splitToMap "," "=" }}`,
	`{{ secret "%s" | date "2006" }}{{ "" | fail }}`,
	`{{ param (print "/" (secret "%s" | hmacSHA256 "k")) }}`,
	`{{ secretExists "none" (secret "%s") }}{{ secret "none" }}`,
	`{{ (secretVersions "%s").previous }}`,
	`{{ (secretVersions "%s").current | fail }}`,
	`{{ (secretVersions "%[1]s" (secret "%[1]s")).current }}`,
	`{{ (secretVersions (print (secret "%s") ":AWSPREVIOUS")).current }}`,
	`{{ paramsOr (dict "a" (list (secret "%s"))) "/none" | len }}`,
}

// quotes are templates that write a value as some reader wants it.
var quotes = []string{
	`{{ secret "%s" | envQuote }}`,
	`{{ secret "%s" | iniQuote }}`,
	`{{ secret "%s" | nginxQuote }}`,
	`{{ secret "%s" | phpQuote }}`,
	`{{ secret "%s" | hclQuote }}`,
	`{{ secret "%s" | propertiesQuote }}`,
	`{{ secret "%s" | dotenvQuote }}`,
	`{{ secret "%s" | dockerEnvQuote }}`,
	`{{ secret "%s" | pgpassQuote }}`,
	`{{ secret "%s" | pgbouncerQuote }}`,
	`{{ secret "%s" | shellQuote }}`,
	`{{ secret "%s" | tomlQuote }}`,
	`{{ secret "%s" | xmlQuote }}`,
	`{{ secret "%s" | yamlQuote }}`,
	`{{ secret "%s" | toJson }}`,
	`{{ secret "%s" | html }}`,
	`{{ secret "%s" | urlquery }}`,
	`{{ secret "%s" | squote }}`,
	`{{ secret "%s" | b64enc | b64enc | b64dec }}`,
	`{{ secret "%s" | b64urlenc }}`,
	`{{ secret "%s" | urlQuote }}`,
	`{{ list (secret "%s") | toYaml | nindent 4 }}`,
	`{{ dict "key" (secret "%s") | toToml }}`,
}

// prints are commands that spell a file in some way.
var prints = []string{
	`tr a-z A-Z <{}`, `rev {}`, `xxd {}`, `xxd -p {}`, `od -x {}`, `od -c {}`, `od -An -tx1 {}`, `od -An -tu1 {}`, `base64 -w 20 {}`, `fold -w 1 {}`, `fold -w 9 {} | cat -n`,
	`sed "s/./& /g" {}`, `sed "s/./\x1b[1m&/g" {}`, `sed "s/^/+ /" {}; diff {} /dev/null`, `(printf x; cat {}) | base64`, `(printf xx; cat {}) | base64 -w 0`, `xxd -p {} | sed "s/../&:/g"`,
	`xxd -p {} | tr -d "\n" | sed "s/../%&/g"`, `sed "s/&/\&amp;/g; s/</\&lt;/g" {}`, `cut -c3- {}`,
}

// plantBytes puts a secret that is no text, and gives it.
func plantBytes(t *testing.T, fake *awsfake.Server, name string) string {
	t.Helper()
	value := "\x00\xff\xfecanary\x80in bytes\x01\n\xc3second canary\x00"
	client := secretsmanager.New(secretsmanager.Options{
		Region:       "eu-west-1",
		BaseEndpoint: &fake.URL,
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
	})
	if _, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretBinary: []byte(value)}); err != nil {
		t.Fatal(err)
	}
	return value
}

// disguises gives the texts by which a value would be known, whole or in part.
func disguises(value string) map[string]string {
	list := map[string]string{}
	add := func(shape, text string) {
		if len(text) >= 6 {
			list[shape] = text[:min(len(text), 24)]
		}
	}
	for i, line := range strings.Split(value, "\n") {
		if !strings.HasPrefix(line, "-----") {
			add(fmt.Sprint("line ", i), line)
		}
	}
	add("in base64", base64.StdEncoding.EncodeToString([]byte(value))[:min(len(value), 20)])
	add("as a URL's part", url.QueryEscape(value))
	add("quoted", strings.Trim(strconv.Quote(value), `"`))
	add("as JSON", strings.Trim(string(must(json.Marshal(value))), `"`))
	if strings.Contains(value, "BEGIN CERTIFICATE") {
		add("common name", "canary-cn")
		add("name", "canary-san")
		add("address", "203.0.113.77")
		add("name of the CA", "canary-ca")
	}
	if strings.HasPrefix(value, "\x00") {
		add("text between bytes", "in bytes")
	}
	if strings.HasPrefix(value, "{") {
		add("key", "canary-user")
		add("password", "canary-pass")
		add("pin", "73915377")
	}
	return list
}
