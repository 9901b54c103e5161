//! The chapter on tokens.

use perennial::clearent::{CustomerKey, NewToken, Token, TokenId, TokenStatus, TokenUpdate};
use perennial::{Clearent, Error, Response};

use crate::steps;
use crate::wire::{Outcome, Wire};

pub(crate) async fn run(Wire { client, .. }: Wire) -> Outcome {
    let ada = steps::ada(&client).await?;
    let token = create(&client, &ada).await?.into_value();
    assert_eq!(token.last_four_digits.as_deref(), Some("1111"));
    let id = token.token_id.ok_or("a new token has an id")?;
    assert_eq!(client.tokens().get(&id).await?.description.as_deref(), Some("business card"));
    update(&client, &id).await?;
    client.tokens().delete(&id).await?;
    Ok(())
}

async fn create(client: &Clearent, ada: &CustomerKey) -> Result<Response<Token>, Error> {
    let card = NewToken::builder()
        .card("4111 1111 1111 1111")
        .exp_date("1230")
        .csc("999")
        .description("business card")
        .customer_key(ada)
        .build()?;
    client.tokens().create(card).await
}

async fn update(client: &Clearent, id: &TokenId) -> Result<(), Error> {
    let update = TokenUpdate::builder().status(TokenStatus::INACTIVE).build()?;
    client.tokens().update(id, &update).await?;
    Ok(())
}
