/** What a webhook is called for, as MLflow has it (`mlflow.entities.webhook`). */
export enum WebhookEvent {
  /** A registered model has been made. */
  REGISTERED_MODEL_CREATED = 'registered_model.created',
  /** A version of a model has been made. */
  MODEL_VERSION_CREATED = 'model_version.created',
  /** A tag of a version has been set. */
  MODEL_VERSION_TAG_SET = 'model_version_tag.set',
  /** A tag of a version has been deleted. */
  MODEL_VERSION_TAG_DELETED = 'model_version_tag.deleted',
  /** An alias has been set to a version: choose it to deploy what people promote. */
  MODEL_VERSION_ALIAS_CREATED = 'model_version_alias.created',
  /** An alias of a model has been deleted. */
  MODEL_VERSION_ALIAS_DELETED = 'model_version_alias.deleted',
  /** A prompt has been made. */
  PROMPT_CREATED = 'prompt.created',
  /** A version of a prompt has been made. */
  PROMPT_VERSION_CREATED = 'prompt_version.created',
  /** A tag of a prompt has been set. */
  PROMPT_TAG_SET = 'prompt_tag.set',
  /** A tag of a prompt has been deleted. */
  PROMPT_TAG_DELETED = 'prompt_tag.deleted',
  /** A tag of a version of a prompt has been set. */
  PROMPT_VERSION_TAG_SET = 'prompt_version_tag.set',
  /** A tag of a version of a prompt has been deleted. */
  PROMPT_VERSION_TAG_DELETED = 'prompt_version_tag.deleted',
  /** An alias has been set to a version of a prompt. */
  PROMPT_ALIAS_CREATED = 'prompt_alias.created',
  /** An alias of a prompt has been deleted. */
  PROMPT_ALIAS_DELETED = 'prompt_alias.deleted',
  /** A budget of the AI gateway has been used up. */
  BUDGET_POLICY_EXCEEDED = 'budget_policy.exceeded',
}
