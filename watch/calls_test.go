package watch

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources/aws"
)

// TestCalls counts what passes ask AWS, hour after hour, through the real SDK.
func TestCalls(t *testing.T) {
	type calls = map[string]int
	tests := []struct {
		name string
		fill func(w *world, aws *awsfake.Server)
		want calls // a pass
	}{
		{"1,000 parameters over 100 templates of a service", func(w *world, aws *awsfake.Server) {
			var files []string
			for i := range 100 {
				files = append(files, fmt.Sprint("f", i), tenParams(aws, i))
			}
			w.service("app", "@hourly", nil, files...)
		}, calls{"GetParameters": 100}},
		{"1,000 parameters over 100 services", func(w *world, aws *awsfake.Server) {
			for i := range 100 {
				w.service(fmt.Sprintf("app%02d", i), "@hourly", nil, fmt.Sprint("f", i), tenParams(aws, i))
			}
		}, calls{"GetParameters": 100}},
		{"10 templates that share 20 parameters and a JSON secret", func(w *world, aws *awsfake.Server) {
			aws.PutSecret("prod/db", `{"user":"app","password":"pw"}`)
			shared := tenParams(aws, 0) + tenParams(aws, 1) + `{{secret "prod/db" "user"}}{{secret "prod/db" "password"}}`
			for i := range 10 {
				w.service(fmt.Sprint("app", i), "@hourly", nil, fmt.Sprint("f", i), shared)
			}
		}, calls{"GetParameters": 2, "GetSecretValue": 1}},
		{"names that only a render knows", func(w *world, aws *awsfake.Server) {
			// Three in the first pass are unknown before it and come singly; from the second on
			// they share a batch.
			for i := range 3 {
				aws.PutParameter(fmt.Sprint("/n", i), "String", "v")
			}
			aws.PutParameter("/names", "StringList", "/n0,/n1,/n2")
			w.service("app", "@hourly", nil, "f", `{{range paramList "/names"}}{{param .}}{{end}}`)
		}, calls{"GetParameters": 1}},
		{"a path of 25 parameters", func(w *world, aws *awsfake.Server) {
			for i := range 25 {
				aws.PutParameter(fmt.Sprintf("/app/%02d", i), "String", "v")
			}
			w.service("app", "@hourly", nil, "f", `{{range $k, $v := params "/app"}}{{$k}}{{end}}`, "g", `{{len (params "/app")}}`)
		}, calls{"GetParametersByPath": 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := awsfake.New()
			setEnv(t, fake)
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				tt.fill(w, fake)
				w.plan.Source = sdkOver(t, fake.Transport())
				w.start()
				w.after(time.Minute) // the first pass
				for hour := range 3 {
					fake.ResetCalls()
					<-time.After(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour - time.Second)))
					synctest.Wait()
					if n := fake.Calls(); len(n) > 0 {
						t.Errorf("between passes: %v", n)
					}
					w.after(time.Minute)
					if n := fake.Calls(); !maps.Equal(n, tt.want) {
						t.Errorf("pass %d: %v, want %v", hour+2, n, tt.want)
					}
				}
				if n := w.logged("level=WARN") + w.logged("level=ERROR"); n > 0 {
					t.Errorf("%s", &w.log)
				}
			})
		})
	}
}

// tenParams puts the i-th ten parameters and gives a template that reads them.
func tenParams(aws *awsfake.Server, i int) string {
	var body strings.Builder
	for j := range 10 {
		name := fmt.Sprintf("/app/%d/%d", i, j)
		aws.PutParameter(name, "String", "v")
		fmt.Fprintf(&body, "{{param %q}}", name)
	}
	return body.String()
}

// setEnv makes the environment that of the fake, but for its address: there is none.
func setEnv(t *testing.T, fake *awsfake.Server) {
	t.Helper()
	for _, pair := range fake.Env() {
		key, value, _ := strings.Cut(pair, "=")
		t.Setenv(key, value)
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://aws.invalid")
	t.Setenv("AWS_CA_BUNDLE", "") // the SDK cannot put it into a foreign transport
}

func sdkOver(t *testing.T, transport http.RoundTripper) *aws.Source {
	t.Helper()
	s, err := aws.New(t.Context(), aws.Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
