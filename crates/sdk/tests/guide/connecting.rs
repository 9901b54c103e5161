//! The chapter on connecting merchants.

use std::collections::BTreeMap;

use async_trait::async_trait;
use perennial::clearent::{ApiKey, Charge, TokenId};
use perennial::keys::{KeyStore, KeyStoreError, MerchantKey, Profile};
use perennial::{Clearent, Environment, Error};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::steps;
use crate::wire::{Outcome, Wire};

/// A platform's storage for its merchants' keys, such as a table of its database.
#[derive(Default)]
struct Vault(Mutex<BTreeMap<Profile, Zeroizing<String>>>);

#[async_trait]
impl KeyStore for Vault {
    async fn put(&self, profile: &Profile, key: MerchantKey) -> Result<(), KeyStoreError> {
        self.0.lock().await.insert(profile.clone(), key.to_text());
        Ok(())
    }

    async fn get(&self, profile: &Profile) -> Result<MerchantKey, KeyStoreError> {
        let vault = self.0.lock().await;
        let stored = vault.get(profile).ok_or_else(|| KeyStoreError::Unknown(profile.clone()))?;
        MerchantKey::of_text(stored).ok_or_else(|| KeyStoreError::Other("an entry is damaged".into()))
    }

    async fn remove(&self, profile: &Profile) -> Result<(), KeyStoreError> {
        let removed = self.0.lock().await.remove(profile);
        removed.map(drop).ok_or_else(|| KeyStoreError::Unknown(profile.clone()))
    }

    async fn list(&self) -> Result<BTreeMap<Profile, Environment>, KeyStoreError> {
        let vault = self.0.lock().await;
        let known =
            vault.iter().filter_map(|(profile, stored)| Some((profile, MerchantKey::of_text(stored)?)));
        Ok(known.map(|(profile, key)| (profile.clone(), key.environment)).collect())
    }
}

pub(crate) async fn run(Wire { client, world, .. }: Wire) -> Outcome {
    let vault = Vault::default();
    let bakery: Profile = "north-street-bakery".parse()?;
    connect(&vault, &bakery, world.api_key().expose(), client.environment().clone()).await?;
    assert_eq!(vault.list().await?.keys().collect::<Vec<_>>(), [&bakery]);

    let client = client_of(&vault, &bakery).await?;
    let ada = steps::ada(&client).await?;
    let token = steps::card(&client, &ada).await?;
    assert!(sell_a_dollar(&client, &token).await?);
    vault.remove(&bakery).await?;
    assert!(vault.get(&bakery).await.is_err());
    Ok(())
}

async fn connect(keys: &dyn KeyStore, merchant: &Profile, pasted: &str, environment: Environment) -> Outcome {
    let client = Clearent::builder(ApiKey::new(pasted)?).environment(environment.clone()).build()?;
    client.batches().open().await?;
    keys.put(merchant, MerchantKey { environment, key: ApiKey::new(pasted)? }).await?;
    Ok(())
}

async fn client_of(keys: &dyn KeyStore, merchant: &Profile) -> Result<Clearent, Box<dyn std::error::Error>> {
    Ok(keys.get(merchant).await?.client().build()?)
}

async fn sell_a_dollar(client: &Clearent, token: &TokenId) -> Result<bool, Error> {
    let dollar = Charge::builder().amount("1.00").card(token).exp_date("1230").build()?;
    let sale = client.test_sale(&dollar).await?;
    let approved = sale.is_approved();
    sale.void().await?;
    Ok(approved)
}
