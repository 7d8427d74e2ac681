package awsfake_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.SetLatency(0)
		s.PutSecret("db", "1")
		s.PutParameter("/a", "String", "1")
		s.Lag(3 * time.Second)
		is := func(secret, parameter string) {
			t.Helper()
			if got := value(t, c, "db"); got != secret {
				t.Errorf("secret: %s, want %s", got, secret)
			}
			if got := setting(t, c, "/a"); got != parameter {
				t.Errorf("parameter: %s, want %s", got, parameter)
			}
			found, _ := asked(t, c, "/a")
			if !strings.HasSuffix(found[0], " "+parameter) {
				t.Errorf("by GetParameters: %s, want %s", found[0], parameter)
			}
			out, err := c.ssm.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/")})
			if err != nil || *out.Parameters[0].Value != parameter {
				t.Errorf("by path: %v, want %s", err, parameter)
			}
			batch, err := c.sm.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"db"}})
			if err != nil || *batch.SecretValues[0].SecretString != secret {
				t.Errorf("by batch: %v, want %s", err, secret)
			}
		}
		two := s.PutSecret("db", "2")
		s.PutParameter("/a", "", "2")
		is("1", "1")
		<-time.After(time.Second)
		s.PutSecret("db", "3")
		s.PutParameter("/a", "", "3")
		is("1", "1")
		<-time.After(2*time.Second - 1)
		is("1", "1")
		_, err := c.sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("db"), VersionId: &two})
		if got := refused(t, err); got.text != "Secrets Manager can't find the specified secret value for VersionId: "+two {
			t.Errorf("the new version by its id: %v", got)
		}
		<-time.After(1)
		is("2", "2")
		<-time.After(time.Second)
		is("3", "3")
		s.Lag(0)
		s.PutSecret("db", "4")
		s.PutParameter("/a", "", "4")
		is("4", "4")
	})
}

// Labels, stages, marks of deletion and new things are late as well.
func TestLagOfOtherChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.SetLatency(0)
		one := s.PutSecret("db", "1")
		s.PutSecret("db", "2")
		s.PutSecret("gone", "x")
		s.PutParameter("/a", "String", "1")
		s.PutParameter("/a", "String", "2")
		s.Lag(time.Second)
		s.StageSecret("db", "AWSCURRENT", one)
		s.DeleteSecret("gone")
		s.LabelParameter("/a", 1, "prod")
		s.PutSecret("new", "x")
		s.PutParameter("/new", "String", "x")
		const missing = "ResourceNotFoundException: Secrets Manager can't find the specified secret."
		is := func(when string, want ...string) {
			t.Helper()
			for i, got := range []string{value(t, c, "db"), value(t, c, "gone"), value(t, c, "new"), setting(t, c, "/a:prod"), setting(t, c, "/new")} {
				if !strings.HasPrefix(got, want[i]) {
					t.Errorf("%s: got %q, want %q", when, got, want[i])
				}
			}
			_, err := c.sm.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("new")})
			if (err == nil) != (want[2] == "x") {
				t.Errorf("%s: described with %v", when, err)
			}
		}
		is("before", "2", "x", missing, "ParameterVersionNotFound", "ParameterNotFound")
		<-time.After(time.Second)
		is("after", "1", "InvalidRequestException", "x", "1", "x")
	})
}

// Writers see what is, not what readers see.
func TestLagIsOfReadersOnly(t *testing.T) {
	s, c := start()
	s.Lag(time.Hour)
	s.PutSecret("db", "1")
	s.PutSecret("db", "2")
	s.PutParameter("/a", "String", "1")
	out, err := c.ssm.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/a"), Value: aws.String("2"), Overwrite: aws.Bool(true)})
	if err != nil || out.Version != 2 {
		t.Errorf("version %d, %v", out.Version, err)
	}
	s.DeleteSecret("db")
	_, err = c.sm.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("db"), SecretString: aws.String("3")})
	if got := refused(t, err).code; got != "InvalidRequestException" {
		t.Errorf("put to a deleted secret: %s", got)
	}
}
