package aws

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"github.com/rendered/rendered/sources"
)

// A Call is one request to AWS; one that is tried again is several.
type Call struct {
	API    string         // the name of the operation: GetSecretValue
	Reason sources.Reason // why it was not answered with what it asked for; "": it was
	Took   time.Duration
	Price  float64 // dollars, at most: AWS does not say whether it charges for what it refuses
}

// CountTo names who is told of each call to Secrets Manager, Parameter Store and SQS, from any
// goroutine. Before, nobody is. Calls for credentials are not told.
func (s *Source) CountTo(count func(Call)) { s.count.Store(&count) }

// messagePrice is that of a request to a standard queue of SQS (its pricing page), without the
// million a month that are free.
const messagePrice = 0.40 / 1_000_000

// prices are those of a request, by what the SDK calls the service. The others are free.
var prices = map[string]float64{
	secretsmanager.ServiceID: sources.Secret.Traits().Call.Price,
	sqs.ServiceID:            messagePrice,
}

// counted has each attempt of a call be told. One that nobody waits for any more is none, and so is
// one that the pacer has not let go.
func (s *Source) counted(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Counted", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		begun := time.Now()
		out, metadata, err := next.HandleFinalize(ctx, in)
		if count := s.count.Load(); count != nil && !errors.Is(ctx.Err(), context.Canceled) {
			c := Call{API: middleware.GetOperationName(ctx), Took: time.Since(begun), Price: prices[middleware.GetServiceID(ctx)]}
			if err != nil {
				c.Reason = diagnose(err).reason
			}
			(*count)(c)
		}
		return out, metadata, err
	}), "Retry", middleware.After)
}
