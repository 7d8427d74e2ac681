package aws

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/rendered/rendered/internal/awsfake/moto"
	"github.com/rendered/rendered/sources"
)

// TestMoto asks an implementation of AWS's protocol that nobody here wrote.
func TestMoto(t *testing.T) {
	environment(t, moto.Env(moto.Start(t))...)
	want := fillMoto(t)
	s := open(t, Options{})
	var batches, secrets atomic.Int32
	s.home.getParameters = counted(&batches, s.home.getParameters)
	s.home.getSecretValue = counted(&secrets, s.home.getSecretValue)
	var list []sources.Ref
	for text := range want {
		list = append(list, ref(t, text))
	}
	results := fetchAll(t.Context(), t, s, list...)
	for text, value := range want {
		if got := results[ref(t, text)]; got.Err != nil || got.Value.Text != value {
			t.Errorf("%s is not equal: %v", text, got.Err)
		}
	}
	if batches.Load() != 10 || secrets.Load() != 1 {
		t.Errorf("%d GetParameters and %d GetSecretValue, want 10 and 1", batches.Load(), secrets.Load())
	}
	if got := fetchOne(t, s, "params /moto"); len(got.Value.Params) != 100 {
		t.Errorf("%d of 100 parameters under the path: %v", len(got.Value.Params), got.Err)
	}
	wantError(t, fetchOne(t, s, "secret moto/none"), sources.Missing, "in eu-west-1, account 123456789012")
	wantError(t, fetchOne(t, s, "param /moto/none"), sources.Missing, "in eu-west-1, account 123456789012")
	if _, account, _, err := s.Identity(t.Context(), ""); account != "123456789012" || err != nil {
		t.Errorf("account %s: %v", account, err)
	}
}

func counted[In, Out, Opt any](n *atomic.Int32, c call[In, Out, Opt]) call[In, Out, Opt] {
	return func(ctx context.Context, in *In, opts ...func(*Opt)) (*Out, error) {
		n.Add(1)
		return c(ctx, in, opts...)
	}
}

// fillMoto makes a secret and 100 parameters and gives their values by ref.
func fillMoto(t *testing.T) map[string]string {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRetryer(func() awssdk.Retryer {
		return &retryer{retry.NewStandard(), patience{base: time.Millisecond, limit: time.Second}, newPacer(0)}
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"secret moto/db": `{"password":"` + canary + `"}`}
	_, err = secretsmanager.NewFromConfig(cfg).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: awssdk.String("moto/db"), SecretString: awssdk.String(want["secret moto/db"]),
	})
	if err != nil {
		t.Fatal(err)
	}
	params := ssm.NewFromConfig(cfg)
	for i := range 100 {
		name, value := fmt.Sprintf("/moto/p%02d", i), fmt.Sprintf("%s <%d> é\n", canary, i)
		want["param "+name] = value
		_, err := params.PutParameter(t.Context(), &ssm.PutParameterInput{
			// It may overwrite: this may be an attempt repeated.
			Name: &name, Value: &value, Type: types.ParameterTypeSecureString, Overwrite: awssdk.Bool(true),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return want
}
