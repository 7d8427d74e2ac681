# Change notices for rendered: Secrets Manager and Parameter Store to EventBridge to SNS to one queue for each VM. What a VM may read
# is not granted here: docs/cookbook has policies for that.

terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

locals {
  # The patterns stand in ../cloudformation/push.yaml once more, and a test holds them equal.
  patterns = {
    # AWSCURRENT is moved in a rotation's last step. Add labels of your own if refs name them.
    secrets    = templatefile("${path.module}/events/secrets.json", { prefix = var.secret_prefix })
    parameters = templatefile("${path.module}/events/parameters.json", { prefix = var.parameter_prefix })
  }
}

# Both services publish to the default event bus without being asked; no trail is needed.
resource "aws_cloudwatch_event_rule" "change" {
  for_each = local.patterns

  name          = "${var.name}-${each.key}"
  description   = "rendered, a change of ${each.key}"
  event_pattern = each.value
}

resource "aws_cloudwatch_event_target" "topic" {
  for_each = aws_cloudwatch_event_rule.change

  rule = each.value.name
  arn  = aws_sns_topic.changes.arn
}

# The topic copies each notice to every VM's queue: a rule by itself has room for five targets. It is not encrypted, as EventBridge
# cannot use the AWS managed key of SNS and a key of your own costs money; a notice names what changed and holds no value.
resource "aws_sns_topic" "changes" {
  name = var.name
}

# Without a Condition: AWS documents that EventBridge's permission to publish cannot have one. The worst that a forged notice does
# is one look at AWS that finds nothing new.
resource "aws_sns_topic_policy" "changes" {
  arn = aws_sns_topic.changes.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.changes.arn
    }]
  })
}

resource "aws_sqs_queue" "vm" {
  for_each = var.instance_names

  name = "${var.name}-${each.key}"

  # A VM that was off for longer has its schedule, and looks at everything when it starts.
  message_retention_seconds = 86400

  # Long polls, also for other readers: rendered asks for 20 s itself.
  receive_wait_time_seconds = 20

  # Keys of SQS's own. They cost nothing, and SNS needs no permission for them.
  sqs_managed_sse_enabled = true

  # No dead-letter queue: rendered deletes what it cannot understand.
}

resource "aws_sqs_queue_policy" "vm" {
  for_each = aws_sqs_queue.vm

  queue_url = each.value.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = each.value.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.changes.arn } }
    }]
  })
}

resource "aws_sns_topic_subscription" "vm" {
  for_each = aws_sqs_queue.vm

  topic_arn = aws_sns_topic.changes.arn
  protocol  = "sqs"
  endpoint  = each.value.arn

  # The event as it is, not as text in an envelope of SNS. rendered reads both.
  raw_message_delivery = true

  # A notice that comes before the queue lets SNS in is lost.
  depends_on = [aws_sqs_queue_policy.vm]
}

# For the VM's role. It reads the queue and nothing else.
resource "aws_iam_policy" "vm" {
  for_each = aws_sqs_queue.vm

  name_prefix = "${each.value.name}-"
  description = "rendered on ${each.key} reads its change notices"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      Resource = each.value.arn
    }]
  })
}
