output "queue_urls" {
  description = "For triggers.sqs in the configuration of rendered, by instance name."
  value       = { for name, queue in aws_sqs_queue.vm : name => queue.url }
}

output "policy_arns" {
  description = "To attach to the VMs' roles, by instance name."
  value       = { for name, policy in aws_iam_policy.vm : name => policy.arn }
}

output "topic_arn" {
  description = "The topic that every change is published to."
  value       = aws_sns_topic.changes.arn
}
