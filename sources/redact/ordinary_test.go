package redact

import (
	"strings"
	"testing"

	"github.com/rendered/rendered/sources"
)

// Values as real machines have them: of an RDS secret, a token, a whole config, a certificate with
// its key.
var machine = []sources.Value{
	secret(`{"username":"shop","password":"Zr8-kQ!w2vLx9@pT","engine":"postgres","host":"shop-db.cxyz12345678.eu-west-1.rds.amazonaws.com","port":5432,"dbname":"shop","dbInstanceIdentifier":"shop-db"}`),
	secret("xoxb-EXAMPLE-4f9QhX2mVt7LwPz"),
	secret("hunter2"),
	secret("letmein"),
	secret("true"),
	secret("[client]\nuser = backup\npassword = \"bR7kk-Pq20z\"\nhost = localhost\nsocket = /run/mysqld/mysqld.sock\n"),
	secret("postgres://shop:Zr8-kQ%21w2vLx9%40pT@shop-db.internal:5432/shop?sslmode=require"),
	{Text: "shop-db.internal"},
	{Text: "info"},
	{Text: "8080"},
}

// What programs say stays readable: exactly what is between « and » is hidden.
var ordinary = map[string]string{
	"nginx -t": `nginx: [emerg] cannot load certificate key "/etc/nginx/tls/site.key": PEM_read_bio_PrivateKey() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: ANY PRIVATE KEY)
nginx: configuration file /etc/nginx/nginx.conf test failed
`,
	"nginx -t, directive": `nginx: [emerg] unknown directive "proxy_pas" in /etc/nginx/conf.d/shop.conf:12
nginx: [warn] conflicting server name "www.example.com" on 0.0.0.0:443, ignored
`,
	"openssl verify": `CN = www.example.com
error 20 at 0 depth lookup: unable to get local issuer certificate
error /etc/nginx/tls/site.crt: verification failed
40F79B1D2A7F0000:error:05800074:x509 certificate routines:X509_check_private_key:key values mismatch:../crypto/x509/x509_cmp.c:405:
`,
	"openssl x509": `subject=C = DE, O = Example GmbH, CN = www.example.com
notAfter=Nov 28 19:36:13 2027 GMT
SHA256 Fingerprint=3D:5A:01:9B:EE:43:F0:77:62:18:C4:0D:9E:2B:51:AA:33:7C:EF:60:14:D8:B5:29:8F:46:71:0A:BC:E2:95:D3
`,
	"jq": `jq: error (at /etc/app/config.json:6): Cannot iterate over null (null)
parse error: Invalid numeric literal at line 3, column 17
`,
	"systemctl": `Job for app.service failed because the control process exited with error code.
See "systemctl status app.service" and "journalctl -xeu app.service" for details.
● app.service - The shop
     Loaded: loaded (/etc/systemd/system/app.service; enabled; preset: enabled)
     Active: failed (Result: exit-code) since Sat 2026-11-28 19:36:13 UTC; 20ms ago
    Process: 4711 ExecStart=/usr/local/bin/app --config /etc/app/config.json (code=exited, status=1/FAILURE)
   Main PID: 4711 (code=exited, status=1/FAILURE)
        CPU: 12ms
`,
	"psql": `psql: error: connection to server at "shop-db.cxyz12345678.eu-west-1.rds.amazonaws.com" (10.2.3.4), port 5432 failed: FATAL:  password authentication failed for user "shop"
connection to server at "shop-db.internal" (10.2.3.4), port 5432 failed: FATAL:  no pg_hba.conf entry for host "10.2.3.9", user "shop", database "shop", no encryption
`,
	"psql, URL": `psql: error: invalid connection option in "postgres://shop:«Zr8-kQ%21w2vLx9%40pT»@shop-db.internal:5432/shop?sslmode=requir"
`,
	"haproxy -c": `[NOTICE]   (4711) : haproxy version is 2.6.12-1+deb12u1
[ALERT]    (4711) : config : parsing [/etc/haproxy/haproxy.cfg:31] : 'bind *:443' in section 'frontend' : unable to stat SSL certificate from file '/etc/haproxy/tls/site.pem' : No such file or directory.
[ALERT]    (4711) : config : Fatal errors found in configuration.
`,
	"diff": `--- /etc/app/app.env	2026-11-28 19:36:13.123456789 +0000
+++ /etc/app/.rendered-ab12	2026-11-28 19:41:13.987654321 +0000
@@ -1,4 +1,4 @@
 LOG_LEVEL=info
 PORT=8080
-SLACK_TOKEN=«xoxb-EXAMPLE»-old
+SLACK_TOKEN=«xoxb-EXAMPLE-4f9QhX2mVt7LwPz»
`,
	"env": `HOME=/root
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LANG=C.UTF-8
RENDERED_SERVICE=shop
RENDERED_PATHS=/etc/app/app.env
DB_PASSWORD=«Zr8-kQ!w2vLx9@pT»
INVOCATION_ID=8f14e45fceea167a5a36dedd4bea2543
DEBUG=true
`,
	"set -x": `+ set -e
+ export PGPASSWORD=«Zr8-kQ!w2vLx9@pT»
+ pg_isready -h shop-db.internal -p 5432 -U shop
shop-db.internal:5432 - no response
+ echo 'is not ready, exit status 2'
+ mysql --password=«bR7kk-Pq20z» -u backup
ERROR 1045 (28000): Access denied for user 'backup'@'localhost' (using password: YES)
`,
	"curl -v": `*   Trying 10.2.3.4:443...
* Connected to shop.example.com (10.2.3.4) port 443 (#0)
* SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384
> POST /api/chat.postMessage HTTP/1.1
> Host: shop.example.com
> Authorization: Bearer «xoxb-EXAMPLE-4f9QhX2mVt7LwPz»
> Content-Type: application/json
< HTTP/1.1 401 Unauthorized
< X-Request-Id: 5f2b9c1e-7d34-4a0f-9e61-0c8d2b7a4f13
< ETag: "3858f62230ac3c915f300c664312c63f"
curl: (22) The requested URL returned error: 401
`,
	"python": `Traceback (most recent call last):
  File "/usr/local/bin/app", line 42, in <module>
    main(sys.argv[1:])
  File "/usr/lib/python3/dist-packages/psycopg2/__init__.py", line 122, in connect
    conn = _connect(dsn, connection_factory=connection_factory, **kwasync)
psycopg2.OperationalError: connection to server at "shop-db.internal", port 5432 failed: FATAL: password authentication failed for user "shop"
`,
	"java": `Exception in thread "main" java.lang.IllegalStateException: Failed to load ApplicationContext
	at org.springframework.boot.SpringApplication.run(SpringApplication.java:1234)
Caused by: java.io.IOException: keystore password was incorrect
	... 12 more
`,
	"sshd -t": `/etc/ssh/sshd_config line 17: Bad configuration option: PermitRootLogn
/etc/ssh/sshd_config: terminating, 1 bad configuration options
`,
	"visudo -c": `/etc/sudoers.d/app: parsed OK
/etc/sudoers:27:9: syntax error
`,
	"promtool": `Checking /etc/prometheus/prometheus.yml
  FAILED: parsing YAML file /etc/prometheus/prometheus.yml: yaml: unmarshal errors:
  line 9: field scrape_intervall not found in type config.ScrapeConfig
`,
	"sha256sum": `e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /etc/app/app.env
d41d8cd98f00b204e9800998ecf8427e  -
`,
	"a word": "the password hunter20 is not «hunter2», nor is letmeintoo «letmein»\n",
}

func TestOrdinaryOutputIsShown(t *testing.T) {
	r := New()
	for _, v := range machine {
		r.Learn(v)
	}
	r.LearnText("/root")
	r.LearnText("C.UTF-8")
	r.LearnText("production")
	mark := strings.NewReplacer("«", "", "»", "")
	for name, text := range ordinary {
		want := text
		for {
			before, rest, ok := strings.Cut(want, "«")
			if !ok {
				break
			}
			_, after, _ := strings.Cut(rest, "»")
			want = before + hidden + after
		}
		if got := r.Redact([]byte(mark.Replace(text))); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}
